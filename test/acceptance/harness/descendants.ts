import { readdirSync, readFileSync } from 'node:fs';

/** One process, such that another that is given its number later is not taken for it. */
export interface KnownProcess {
  readonly pid: number;
  /** What it was started as; arguments apart by spaces. */
  readonly line: string;
  readonly startedAt: string;
}

/** All processes that a process has started, and that those have, at any depth. */
export function descendantsOf(ancestor: number): readonly KnownProcess[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => statOf(Number(name)) ?? []);
  const family = new Set([ancestor]);
  for (let size = 0; size < family.size;) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  family.delete(ancestor);
  return all.filter(({ pid }) => family.has(pid)).map(({ pid, startedAt }) => ({ pid, startedAt, line: lineOf(pid) }));
}

/** Those of them that are not dead; a zombie holds nothing any more. */
export function stillAlive(processes: readonly KnownProcess[]): readonly KnownProcess[] {
  return processes.filter(({ pid, startedAt }) => {
    const now = statOf(pid);
    return now?.startedAt === startedAt && !['Z', 'X'].includes(now.state);
  });
}

interface Stat {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly startedAt: string;
}

/** The fields of proc(5) behind the name, which stands in parentheses and may hold anything. */
function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, state: fields[0]!, parent: Number(fields[1]), startedAt: fields[19]! };
  } catch {
    return undefined;
  }
}

function lineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
