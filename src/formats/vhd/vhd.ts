import type { ByteReader } from '../reading/byte-reader.ts';
import type { FormatInspector } from '../format-inspector.ts';
import { plainDisk } from '../guest/guest-disk.ts';
import { refuse } from '../refuse.ts';
import { beginsWith, hasAt } from '../reading/signature.ts';
import { vhdBlockDisk } from './vhd-blocks.ts';
import { readVhdDynamicHeader } from './vhd-dynamic.ts';
import { readVhdFooter, vhdCreatorName, vhdDiskTypes, vhdFooterBytes, vhdFooterFields, vhdLargestDiskBytes, vhdVirtualSize } from './vhd-footer.ts';
import type { VhdFooter } from './vhd-footer.ts';

const cookie = 'conectix';
const sectorBytes = 512;

/**
 * Microsoft virtual hard disk, fixed or dynamic. A fixed one is the guest's disk with a footer behind it, so that
 * nothing but its last sector tells it from a raw disk; before Virtual PC 2004 the footer was one byte shorter.
 */
export const vhd: FormatInspector = {
  format: 'DISK_FORMAT_VHD',
  name: 'vhd',
  recognise: ({ head, tail }) => beginsWith(head, cookie) || hasAt(tail, 0, cookie) || hasAt(tail, 1, cookie),
  checkHead(head) {
    if (beginsWith(head, cookie)) readFooterCopy(head.subarray(0, vhdFooterBytes));
  },
  describe(file) {
    const footer = readFooters(file);
    const { sizeBytes, rule, offset } = checkSize(file, footer);
    const size = { virtualSizeBytes: sizeBytes, virtualSizeOffset: offset };
    const facts = { creator_app: vhdCreatorName(footer), size_rule: rule };
    if (footer.diskType === vhdDiskTypes.fixed) {
      return { ...size, warnings: [], facts: { disk_type: 'fixed', ...facts } };
    }
    const { blockBytes } = readVhdDynamicHeader(file, footer.dataOffset, sizeBytes);
    return { ...size, warnings: [], facts: { disk_type: 'dynamic', ...facts, block_bytes: blockBytes.toString() } };
  },
  open(file) {
    const footer = readFooters(file);
    const { sizeBytes } = checkSize(file, footer);
    if (footer.diskType === vhdDiskTypes.fixed) return plainDisk(sizeBytes, file.sizeBytes - vhdFooterBytes);
    return vhdBlockDisk(file, sizeBytes, readVhdDynamicHeader(file, footer.dataOffset, sizeBytes));
  },
};

function readFooters(file: ByteReader): VhdFooter {
  const start = Math.max(0, file.sizeBytes - vhdFooterBytes);
  const last = file.read(start, vhdFooterBytes);
  const first = file.read(0, vhdFooterBytes);
  const copy = beginsWith(first, cookie) ? readFooterCopy(first) : undefined;
  if (start < vhdFooterBytes || !beginsWith(last, cookie)) {
    refuse('vhd.footer', 'The footer is not in the last 512 bytes.', { offset: start, value: Buffer.from(last.subarray(0, 8)).toString('hex') });
  }
  const footer = readVhdFooter(last, 'footer', start);
  if (footer.diskType === vhdDiskTypes.dynamic && !copy) {
    refuse('vhd.footer', 'The dynamic disk does not begin with a copy of its footer.', { offset: 0, value: Buffer.from(first.subarray(0, 8)).toString('hex') });
  }
  // qemu counts in sectors, and looks for the footer of a fixed disk in the last one that it counts (block/vpc.c).
  if (footer.diskType === vhdDiskTypes.fixed && start % sectorBytes !== 0) {
    refuse('vhd.footer', 'The footer of the fixed disk does not begin at a sector.', { offset: start, value: start });
  }
  if (copy) checkAgreement(copy, footer, start);
  return footer;
}

function readFooterCopy(sector: Uint8Array): VhdFooter {
  const copy = readVhdFooter(sector, 'footer copy', 0);
  if (copy.diskType !== vhdDiskTypes.dynamic) {
    refuse('vhd.footer', 'The image begins with a footer as only a dynamic disk does, but it is none.', { offset: vhdFooterFields.diskType, value: copy.diskType });
  }
  return copy;
}

function checkAgreement(copy: VhdFooter, footer: VhdFooter, start: number): void {
  for (const [field, at] of Object.entries(vhdFooterFields) as [keyof VhdFooter, number][]) {
    if (copy[field] === footer[field]) continue;
    refuse('vhd.footer', 'The footer and its copy contradict each other.', { offset: start + at, value: field === 'creatorApp' ? vhdCreatorName(footer) : footer[field] });
  }
}

/** The disk's size, within the format's bound and, of a fixed disk, within the file; `offset`: where the file says so. */
function checkSize(file: ByteReader, footer: VhdFooter): ReturnType<typeof vhdVirtualSize> & { readonly offset: number } {
  const size = vhdVirtualSize(footer);
  const { sizeBytes, rule } = size;
  const stored = file.sizeBytes - vhdFooterBytes;
  const offset = stored + vhdFooterFields[rule === 'geometry' ? 'cylinders' : 'currentSizeBytes'];
  const place = { offset, value: sizeBytes };
  if (sizeBytes > vhdLargestDiskBytes) refuse('vhd.size', `The disk of ${sizeBytes} bytes is larger than the format allows.`, place);
  if (footer.diskType === vhdDiskTypes.fixed && sizeBytes > BigInt(stored)) {
    refuse('vhd.size', `The disk of ${sizeBytes} bytes does not fit into the ${stored} bytes before the footer.`, place);
  }
  return { ...size, offset };
}
