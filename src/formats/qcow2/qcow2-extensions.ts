import { Fields } from '../reading/fields.ts';
import { printable } from '../reading/printable.ts';
import type { Qcow2Header } from './qcow2-header.ts';
import { refuse } from '../refuse.ts';

/** At most so many header extensions are walked; qemu knows five kinds and writes each once. */
export const qcow2ExtensionLimit = 32;

/** qemu's bounds (block/qcow2.h): so many bitmaps, each with 1 KiB in the directory. */
const bitmapLimit = 65_535;
const bitmapDirectoryLimitBytes = 65_535n * 1024n;

const externalDataFile = 0x44415441;
const encryptionHeader = 0x0537be77;
const bitmaps = 0x23852875;
const bitmapsLengthBytes = 24;
/** The autoclear feature bit that a program without bitmaps takes away; without it, what the extension says is void. */
const bitmapsBit = 1n;

/** Where the directory of the dirty bitmaps is. */
export interface Qcow2BitmapDirectory {
  readonly count: number;
  readonly offset: bigint;
  readonly lengthBytes: bigint;
  /** Where in the file `offset` stands. */
  readonly offsetAt: number;
}

/** What the header extensions say that matters here. `directory` is absent where there are no bitmaps that hold. */
export interface Qcow2Extensions {
  readonly hasBitmaps: boolean;
  readonly directory?: Qcow2BitmapDirectory;
}

/**
 * Walks the header extensions in `area`, the bytes of the first cluster from the header's end on. Where `isWhole` is false
 * only the beginning of the cluster has come, and the walk ends without a verdict at its end.
 *
 * An extension refuses as the feature does that it belongs to: readers differ in which of the two they go by.
 */
export function walkQcow2Extensions(area: Uint8Array, header: Qcow2Header, isWhole: boolean): Qcow2Extensions {
  const start = header.headerLength;
  const fields = new Fields(area, 'qcow2 header extensions', start);
  let found: Qcow2Extensions = { hasBitmaps: false };
  let at = 0;
  for (let count = 0; at + 8 <= area.length; count += 1) {
    const type = fields.u32be(at);
    const lengthBytes = fields.u32be(at + 4);
    const offset = start + at;
    const data = area.subarray(at + 8, at + 8 + lengthBytes);
    if (count >= qcow2ExtensionLimit) {
      refuse('qcow2.header_extensions', `The header has more than ${qcow2ExtensionLimit} extensions.`, { offset, value: type });
    }
    if (type === externalDataFile) {
      const value = printable(Buffer.from(data.subarray(0, 200)).toString('latin1'));
      refuse('qcow2.data_file', 'The image names an external data file.', { offset, value });
    }
    if (type === encryptionHeader) refuse('qcow2.encryption', 'The image has a header for encryption.', { offset, value: type });
    if (isWhole && at + 8 + lengthBytes > area.length) {
      refuse('qcow2.header_extensions', 'A header extension reaches beyond the first cluster.', { offset, value: lengthBytes });
    }
    if (type === 0) return found;
    if (type === bitmaps) found = readBitmaps(data, offset, lengthBytes, header);
    at += 8 + Math.ceil(lengthBytes / 8) * 8;
  }
  return found;
}

/** The extension "bitmaps" (qcow2.txt, "Bitmaps extension") at `offset`, of which `data` may be the beginning only. */
function readBitmaps(data: Uint8Array, offset: number, lengthBytes: number, header: Qcow2Header): Qcow2Extensions {
  if ((header.autoclearFeatures & bitmapsBit) === 0n) return { hasBitmaps: true };
  if (lengthBytes !== bitmapsLengthBytes) {
    refuse('qcow2.bitmaps_extension', `The bitmaps extension has ${lengthBytes} bytes instead of 24.`, { offset: offset + 4, value: lengthBytes });
  }
  if (data.length < bitmapsLengthBytes) return { hasBitmaps: true };
  const at = offset + 8;
  const fields = new Fields(data, 'qcow2 bitmaps extension', at);
  const count = fields.u32be(0);
  const reserved = fields.u32be(4);
  const directory = { count, lengthBytes: fields.u64be(8), offset: fields.u64be(16), offsetAt: at + 16 };
  if (count === 0 || count > bitmapLimit) {
    refuse('qcow2.bitmaps_extension', `The number of bitmaps is ${count}, not 1 to ${bitmapLimit}.`, { offset: at, value: count });
  }
  if (reserved !== 0) refuse('qcow2.bitmaps_extension', 'A reserved field of the bitmaps extension is used.', { offset: at + 4, value: reserved });
  if (directory.lengthBytes === 0n || directory.lengthBytes > bitmapDirectoryLimitBytes) {
    refuse('qcow2.bitmaps_extension', `The directory of the bitmaps has ${directory.lengthBytes} bytes, not 1 to ${bitmapDirectoryLimitBytes}.`, {
      offset: at + 8,
      value: directory.lengthBytes,
    });
  }
  return { hasBitmaps: true, directory };
}
