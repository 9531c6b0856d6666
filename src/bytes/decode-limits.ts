import { refuse } from '../formats/refuse.ts';

/** What the operator allows a content to become. */
export interface DecodeLimits {
  /** The decoded content may not be larger. */
  readonly maxBytes: number;
  /** Beyond `ratioFreeBytes` the decoded content may not be larger than the compressed one times this. */
  readonly maxRatio: number;
}

/**
 * Up to so much no ratio is looked at. An empty disk decodes at any ratio (xz makes 7,000:1 of zeros, zstd 30,000:1, bzip2
 * more than a million to one), and disks that are mostly empty are what people compress; whoever sends a small bomb gets
 * this much of the store for as long as it takes to write it.
 */
export const ratioFreeBytes = 4 * 1024 ** 3;

/** Refuses by `compressed.too_large` and `compressed.ratio`, before the bytes that go beyond are written. */
export function checkDecoded(decodedBytes: number, inputBytes: number, { maxBytes, maxRatio }: DecodeLimits): void {
  if (decodedBytes > maxBytes) {
    refuse('compressed.too_large', `The content decodes to more than the ${maxBytes} bytes allowed.`, { offset: inputBytes, value: decodedBytes, limit: maxBytes });
  }
  if (decodedBytes <= ratioFreeBytes || decodedBytes <= inputBytes * maxRatio) return;
  const message = `The first ${inputBytes} bytes of the content decode to ${decodedBytes} bytes, more than ${maxRatio} times as many.`;
  refuse('compressed.ratio', message, { offset: inputBytes, value: decodedBytes, limit: maxRatio });
}
