import type { ByteReader } from './byte-reader.ts';
import type { FormatInspector } from './format-inspector.ts';
import { refuse } from './refuse.ts';
import { beginsWith, hasAt } from './signature.ts';
import { readVhdDynamicHeader } from './vhd-dynamic.ts';
import { readVhdFooter, vhdCreatorName, vhdDiskTypes, vhdFooterBytes, vhdVirtualSize } from './vhd-footer.ts';
import type { VhdFooter } from './vhd-footer.ts';

const cookie = 'conectix';

/** The largest disk of the format, 2040 GiB (qemu block/vpc.c). */
const largestDiskBytes = 2040n * 1024n ** 3n;

/**
 * Microsoft virtual hard disk, fixed or dynamic. A fixed one is the guest's disk with a footer behind it, so that
 * nothing but its last sector tells it from a raw disk; before Virtual PC 2004 the footer was one byte shorter.
 */
export const vhd: FormatInspector = {
  format: 'DISK_FORMAT_VHD',
  name: 'vhd',
  recognise: ({ head, tail }) => beginsWith(head, cookie) || hasAt(tail, 0, cookie) || hasAt(tail, 1, cookie),
  checkHead(head) {
    if (!beginsWith(head, cookie)) return;
    const { diskType } = readVhdFooter(head.subarray(0, vhdFooterBytes), 'footer copy', 0);
    if (diskType !== vhdDiskTypes.dynamic) refuse('vhd.footer', 'The image begins with a footer as only a dynamic disk does, but it is none.');
  },
  describe(file) {
    const footer = readFooters(file);
    const { sizeBytes, rule } = vhdVirtualSize(footer);
    if (sizeBytes > largestDiskBytes) refuse('vhd.size', `The disk of ${sizeBytes} bytes is larger than the format allows.`);
    const facts = { creator_app: vhdCreatorName(footer), size_rule: rule };
    if (footer.diskType === vhdDiskTypes.fixed) {
      checkFixedSize(file, sizeBytes);
      return { virtualSizeBytes: sizeBytes, warnings: [], facts: { disk_type: 'fixed', ...facts } };
    }
    const { blockBytes } = readVhdDynamicHeader(file, footer.dataOffset, sizeBytes);
    return { virtualSizeBytes: sizeBytes, warnings: [], facts: { disk_type: 'dynamic', ...facts, block_bytes: blockBytes.toString() } };
  },
};

function readFooters(file: ByteReader): VhdFooter {
  const start = Math.max(0, file.sizeBytes - vhdFooterBytes);
  const last = file.read(start, vhdFooterBytes);
  const first = file.read(0, vhdFooterBytes);
  const copy = beginsWith(first, cookie) ? readVhdFooter(first, 'footer copy', 0) : undefined;
  if (copy && copy.diskType !== vhdDiskTypes.dynamic) {
    refuse('vhd.footer', 'The image begins with a footer as only a dynamic disk does, but it is none.');
  }
  if (start < vhdFooterBytes || !beginsWith(last, cookie)) {
    refuse('vhd.footer', 'The footer is not in the last 512 bytes.', { offset: start.toString() });
  }
  const footer = readVhdFooter(last, 'footer', start);
  if (footer.diskType === vhdDiskTypes.dynamic && !copy) refuse('vhd.footer', 'The dynamic disk does not begin with a copy of its footer.');
  if (copy && !isSameDisk(copy, footer)) refuse('vhd.footer', 'The footer and its copy contradict each other.');
  return footer;
}

function isSameDisk(left: VhdFooter, right: VhdFooter): boolean {
  return (Object.keys(left) as (keyof VhdFooter)[]).every((key) => left[key] === right[key]);
}

function checkFixedSize(file: ByteReader, virtualSizeBytes: bigint): void {
  const stored = file.sizeBytes - vhdFooterBytes;
  if (virtualSizeBytes > BigInt(stored)) {
    refuse('vhd.size', `The disk of ${virtualSizeBytes} bytes does not fit into the ${stored} bytes before the footer.`);
  }
}
