/** One instruction of a Dockerfile. */
export interface Instruction {
  /** In capitals, such as `COPY`. */
  readonly name: string;
  /** What stands behind the name, lines joined. */
  readonly text: string;
  /** Which `FROM` it stands behind: 0 is the first; -1 before it. */
  readonly stage: number;
}

/** Reads a Dockerfile: its instructions in order, without comments. Here-documents and other escapes than `\` are not known. */
export function readDockerfile(dockerfile: string): readonly Instruction[] {
  const lines = dockerfile.split('\n').filter((line) => !/^\s*#/.test(line)).join('\n').replaceAll(/\\\n\s*/g, '').split('\n');
  let stage = -1;
  return lines.filter((line) => line.trim() !== '').map((line) => {
    const [, word = '', text = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    const name = word.toUpperCase();
    if (name === 'FROM') stage += 1;
    return { name, text, stage };
  });
}

/** What an instruction in the exec form holds, such as `ENTRYPOINT ["lehr"]`. */
export function execForm(text: string): readonly string[] {
  return JSON.parse(text) as string[];
}
