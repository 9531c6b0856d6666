/** Alters an image that a builder made; offsets are those of the format's specification. */
export type Change = (image: Buffer) => void;

export const u8 = (offset: number, value: number): Change => (image) => void image.writeUInt8(value, offset);
export const u16be = (offset: number, value: number): Change => (image) => void image.writeUInt16BE(value, offset);
export const u16le = (offset: number, value: number): Change => (image) => void image.writeUInt16LE(value, offset);
export const u32be = (offset: number, value: number): Change => (image) => void image.writeUInt32BE(value, offset);
export const u32le = (offset: number, value: number): Change => (image) => void image.writeUInt32LE(value, offset);
export const u64be = (offset: number, value: bigint): Change => (image) => void image.writeBigUInt64BE(value, offset);
export const u64le = (offset: number, value: bigint): Change => (image) => void image.writeBigUInt64LE(value, offset);
export const text = (offset: number, value: string): Change => (image) => void image.write(value, offset, 'latin1');

/** The image after all changes. */
export function changed(image: Buffer, ...changes: readonly Change[]): Buffer {
  for (const change of changes) change(image);
  return image;
}
