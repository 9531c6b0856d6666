/**
 * A place in the log: for each partition, the offset of the last record at or before it. The embedded log has the one
 * partition 0. Partitions that are missing have not been read at all.
 */
export type Position = ReadonlyMap<number, bigint>;

/** Before the first record. */
export const startPosition: Position = new Map();

/** Whether `position` is at or past `target` in every partition of `target`. */
export function hasReached(position: Position, target: Position): boolean {
  for (const [partition, offset] of target) {
    if ((position.get(partition) ?? -1n) < offset) return false;
  }
  return true;
}

/** The later of the two in each partition. */
export function latest(a: Position, b: Position): Position {
  const merged = new Map(a);
  for (const [partition, offset] of b) {
    if ((merged.get(partition) ?? -1n) < offset) merged.set(partition, offset);
  }
  return merged;
}

/** The position as an opaque token for callers, such as `0-42`; the start is the empty string. */
export function formatPosition(position: Position): string {
  return [...position]
    .toSorted(([a], [b]) => a - b)
    .map(([partition, offset]) => `${partition}-${offset}`)
    .join('.');
}

/** The largest offset that the stores of positions can hold: a signed 64-bit integer. */
const offsetLimit = 2n ** 63n - 1n;

/** At most so many partitions are taken from a token. */
const partitionLimit = 1_024;

/** The position that a token means; undefined where it is none. The empty token is the start. */
export function parsePosition(token: string): Position | undefined {
  if (token === '') return startPosition;
  const position = new Map<number, bigint>();
  for (const part of token.split('.', partitionLimit + 1)) {
    const match = /^(\d{1,6})-(\d{1,19})$/.exec(part);
    if (match === null || position.size === partitionLimit) return undefined;
    const partition = Number(match[1]);
    const offset = BigInt(match[2] ?? '');
    if (offset > offsetLimit || position.has(partition)) return undefined;
    position.set(partition, offset);
  }
  return position;
}
