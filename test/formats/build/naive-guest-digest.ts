import { createHash } from 'node:crypto';

const blockBytes = 65_536;
const zeros = Buffer.alloc(blockBytes);

/** The guest's digest as the contract words it, of a disk that is there in one piece. */
export function naiveGuestDigest(disk: Uint8Array): string {
  const hash = createHash('sha256');
  for (let index = 0; index * blockBytes < disk.length; index += 1) {
    const block = Buffer.alloc(blockBytes);
    block.set(disk.subarray(index * blockBytes, (index + 1) * blockBytes));
    if (block.equals(zeros)) continue;
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(BigInt(index));
    hash.update(number).update(createHash('sha256').update(block).digest());
  }
  return `sha256:${hash.digest('hex')}`;
}
