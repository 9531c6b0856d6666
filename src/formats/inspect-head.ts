import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import { edgesOfHead } from './edges.ts';
import { recognise } from './recognise.ts';
import { ImageRefusedError } from './refuse.ts';

export { headBytes } from './edges.ts';

/**
 * The early answer while bytes still stream, called once. `head` is the first `headBytes` of the content, or all of it
 * if it is shorter; more than that is not looked at. Undefined: nothing speaks against it so far. A refusal is final,
 * since `inspect` would refuse the whole as well, and the transfer is cut off. Never throws, whatever the bytes.
 */
export function inspectHead(head: Uint8Array, declared: DiskFormat): Failure | undefined {
  const edges = edgesOfHead(head);
  try {
    recognise(edges, declared).checkHead(edges.head, edges.sizeBytes);
    return undefined;
  } catch (error) {
    if (error instanceof ImageRefusedError) return error.failure;
    throw error;
  }
}
