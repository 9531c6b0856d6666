import { changed } from './change.ts';
import type { Change } from './change.ts';

export const clusterBytes = 65536;

/** An empty qcow2 of 1 MiB: header, reference count table and block, L1 table, a cluster each (qcow2.txt). */
export function buildQcow2(version: 2 | 3, ...changes: readonly Change[]): Buffer {
  const image = Buffer.alloc(4 * clusterBytes);
  image.write('QFI\xfb', 0, 'latin1');
  image.writeUInt32BE(version, 4);
  image.writeUInt32BE(16, 20);
  image.writeBigUInt64BE(1024n * 1024n, 24);
  image.writeUInt32BE(1, 36);
  image.writeBigUInt64BE(BigInt(3 * clusterBytes), 40);
  image.writeBigUInt64BE(BigInt(clusterBytes), 48);
  image.writeUInt32BE(1, 56);
  if (version === 3) {
    image.writeUInt32BE(4, 96);
    image.writeUInt32BE(112, 100);
  }
  image.writeBigUInt64BE(BigInt(2 * clusterBytes), clusterBytes);
  for (let cluster = 0; cluster < 4; cluster += 1) image.writeUInt16BE(1, 2 * clusterBytes + 2 * cluster);
  return changed(image, ...changes);
}

/** A header extension at `offset`; the first stands at the header's end, 72 or 112. */
export function extension(offset: number, type: number, data: string): Change {
  return (image) => {
    image.writeUInt32BE(type, offset);
    image.writeUInt32BE(data.length, offset + 4);
    image.write(data, offset + 8, 'latin1');
  };
}
