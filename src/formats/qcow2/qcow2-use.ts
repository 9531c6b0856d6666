import type { ByteReader } from '../reading/byte-reader.ts';
import type { FileSpace } from '../guest/file-space.ts';
import type { Qcow2Layout } from './qcow2-layout.ts';
import { isQcow2ClusterFree } from './qcow2-refcounts.ts';
import { refuse } from '../refuse.ts';

/**
 * What the tables of an image give out, in one pass over the file. Clusters that the reference counts say are free were
 * claimed first, by nobody: a writer would give them out again. `referenceAt` is where in the file the reference stands.
 */
export class Qcow2Use {
  readonly #file: ByteReader;
  readonly #layout: Qcow2Layout;
  readonly #space: FileSpace;

  constructor(file: ByteReader, layout: Qcow2Layout, space: FileSpace) {
    this.#file = file;
    this.#layout = layout;
    this.#space = space;
  }

  /** Takes clusters for a table or for data. */
  alone(offset: number, lengthBytes: number, referenceAt: number): void {
    if (!this.#space.claim(offset, lengthBytes)) this.#refuse(offset, lengthBytes, referenceAt);
  }

  /** Takes the clusters of compressed data, of which one may hold several. */
  together(offset: number, lengthBytes: number, referenceAt: number): void {
    if (!this.#space.share(offset, lengthBytes)) this.#refuse(offset, lengthBytes, referenceAt);
  }

  #refuse(offset: number, lengthBytes: number, referenceAt: number): never {
    const { clusterBytes } = this.#layout;
    const first = Math.floor(offset / clusterBytes);
    for (let cluster = first; cluster * clusterBytes < offset + lengthBytes; cluster += 1) {
      if (!isQcow2ClusterFree(this.#file, this.#layout, cluster)) continue;
      refuse('qcow2.refcount', `The cluster at ${cluster * clusterBytes} is in use, but its reference count is 0.`, {
        offset: referenceAt,
        value: cluster * clusterBytes,
      });
    }
    return refuse('qcow2.overlap', `The reference at ${referenceAt} leads to ${offset}, which is in use for something else already.`, {
      offset: referenceAt,
      value: offset,
    });
  }
}
