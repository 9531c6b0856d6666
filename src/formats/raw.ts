import { headBytes } from './reading/edges.ts';
import type { FormatInspector } from './format-inspector.ts';
import { plainDisk } from './guest/guest-disk.ts';
import { rawContentOf } from './content/raw-content.ts';
import { refuse } from './refuse.ts';

const sectorBytes = 512;

/**
 * The guest's disk byte for byte: whatever nothing else recognises. It has no magic, so it is what remains and never
 * stands in the list of formats that are recognised.
 */
export const raw: FormatInspector = {
  format: 'DISK_FORMAT_RAW',
  name: 'raw',
  recognise: () => true,
  checkHead(_head, sizeBytes) {
    if (sizeBytes !== undefined) checkSize(sizeBytes);
  },
  describe(file) {
    checkSize(file.sizeBytes);
    const content = rawContentOf(file.read(0, Math.min(headBytes, file.sizeBytes)));
    const facts: Record<string, string> = content.length === 0 ? {} : { content: content.join(', ') };
    return {
      virtualSizeBytes: BigInt(file.sizeBytes),
      virtualSizeOffset: 0,
      warnings: content.length === 0 ? ['raw.unrecognised_content'] : [],
      facts,
    };
  },
  open: (file) => plainDisk(BigInt(file.sizeBytes), file.sizeBytes),
};

function checkSize(sizeBytes: number): void {
  const rest = sizeBytes % sectorBytes;
  if (rest === 0) return;
  refuse('raw.size', `The content is of no known kind, and its ${sizeBytes} bytes are no whole number of 512-byte sectors, as a raw disk has.`, {
    size_bytes: sizeBytes,
    offset: sizeBytes - rest,
    value: rest,
  });
}
