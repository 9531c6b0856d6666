import { Fields } from '../reading/fields.ts';

/** How a frame of data begins. */
export const frameMagic = 0xfd2f_b528;
/** How frames to be skipped begin, but for the last four bits. */
export const skippableMagic = 0x184d_2a50;
/** What the two low bits of a frame header descriptor cost: the dictionary id's bytes. */
export const dictionaryIdBytes = [0, 1, 2, 4] as const;
/** What its two high bits cost: the frame content size's bytes; the first is one where the single-segment bit is set. */
export const contentSizeBytes = [0, 2, 4, 8] as const;
const rleBlock = 1;
const reservedBlock = 3;

/**
 * How many bytes the first frame of `bytes` takes (RFC 8878, 3.1), without decoding it; undefined where it is no whole
 * frame. Cuts frames out of a range that is padded with whatever lies behind them.
 */
export function zstdFrameBytes(bytes: Uint8Array): number | undefined {
  if (bytes.length < 8) return undefined;
  const fields = new Fields(bytes, 'zstd frame');
  const magic = fields.u32le(0);
  if (magic >>> 4 === skippableMagic >>> 4) return within(8 + fields.u32le(4), bytes);
  if (magic !== frameMagic) return undefined;
  const descriptor = fields.u8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >>> 6;
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : (contentSizeBytes[sizeFlag] ?? 0);
  let at = 5 + (isSingleSegment ? 0 : 1) + (dictionaryIdBytes[descriptor & 3] ?? 0) + sizeBytes;
  for (let isLast = false; !isLast; ) {
    if (at + 3 > bytes.length) return undefined;
    const header = fields.u8(at) | (fields.u8(at + 1) << 8) | (fields.u8(at + 2) << 16);
    const kind = (header >>> 1) & 3;
    if (kind === reservedBlock) return undefined;
    isLast = (header & 1) !== 0;
    at += 3 + (kind === rleBlock ? 1 : header >>> 3);
  }
  return within(at + ((descriptor & 4) !== 0 ? 4 : 0), bytes);
}

function within(length: number, bytes: Uint8Array): number | undefined {
  return length <= bytes.length ? length : undefined;
}
