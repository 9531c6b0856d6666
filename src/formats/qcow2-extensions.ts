import { Fields } from './fields.ts';
import { refuse } from './refuse.ts';

/** At most so many header extensions are walked; qemu knows five kinds and writes each once. */
export const qcow2ExtensionLimit = 32;

const externalDataFile = 0x44415441;
const encryptionHeader = 0x0537be77;
const bitmaps = 0x23852875;

/** What the header extensions say that matters here. */
export interface Qcow2Extensions {
  readonly hasBitmaps: boolean;
}

/**
 * Walks the header extensions in `area`, the bytes of the first cluster from the header's end at `start` on. Where
 * `isWhole` is false only the beginning of the cluster has come, and the walk ends without a verdict at its end.
 *
 * An extension refuses as the feature does that it belongs to: readers differ in which of the two they go by.
 */
export function walkQcow2Extensions(area: Uint8Array, start: number, isWhole: boolean): Qcow2Extensions {
  const fields = new Fields(area, 'qcow2 header extensions', start);
  let hasBitmaps = false;
  let at = 0;
  for (let count = 0; at + 8 <= area.length; count += 1) {
    const type = fields.u32be(at);
    const lengthBytes = fields.u32be(at + 4);
    if (type === 0) return { hasBitmaps };
    const offset = (start + at).toString();
    if (count >= qcow2ExtensionLimit) {
      refuse('qcow2.header_extensions', `The header has more than ${qcow2ExtensionLimit} extensions.`, { offset });
    }
    if (type === externalDataFile) refuse('qcow2.data_file', 'The image names an external data file.', { offset });
    if (type === encryptionHeader) refuse('qcow2.encryption', 'The image has a header for encryption.', { offset });
    if (type === bitmaps) hasBitmaps = true;
    if (isWhole && at + 8 + lengthBytes > area.length) {
      refuse('qcow2.header_extensions', 'A header extension reaches beyond the first cluster.', { offset });
    }
    at += 8 + Math.ceil(lengthBytes / 8) * 8;
  }
  return { hasBitmaps };
}
