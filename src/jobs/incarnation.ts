/** A node in one of its lives. */
export interface NodeLife {
  /** Id of the node. */
  readonly node: string;
  /** 1 for the node's first life, and one more with each start. */
  readonly generation: number;
}

/** The text that names a life of a node in the log: `<node>.<generation>`. */
export function formatIncarnation({ node, generation }: NodeLife): string {
  return `${node}.${generation}`;
}

/** What `text` names; undefined where it has another form, as that of a log that was written by one node alone. */
export function parseIncarnation(text: string): NodeLife | undefined {
  const match = /^([\w-]{1,64})\.([1-9]\d{0,14})$/.exec(text);
  return match === null ? undefined : { node: match[1] ?? '', generation: Number(match[2]) };
}
