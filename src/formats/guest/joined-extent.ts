import type { Extent } from './extent.ts';

/** Extents are joined up to so many bytes: readers work in pieces, and those who drive a walk want to pause now and then. */
export const joinLimitBytes = 16 * 1024 * 1024;

/** The two extents as one, where `right` continues `left` and both together stay small; undefined otherwise. */
export function joinedExtent(left: Extent | undefined, right: Extent): Extent | undefined {
  if (left === undefined) return undefined;
  const lengthBytes = left.lengthBytes + right.lengthBytes;
  if (lengthBytes > joinLimitBytes) return undefined;
  if (left.kind === 'zero' && right.kind === 'zero') return { kind: 'zero', lengthBytes };
  if (left.kind !== 'stored' || right.kind !== 'stored' || left.offset + left.lengthBytes !== right.offset) return undefined;
  return { kind: 'stored', lengthBytes, offset: left.offset };
}
