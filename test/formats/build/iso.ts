import { changed } from './change.ts';
import type { Change } from './change.ts';

const sectorBytes = 2048;
const sectors = 40;

const descriptor = (image: Buffer, index: number, type: number, id: string): number => {
  const at = (16 + index) * sectorBytes;
  image.writeUInt8(type, at);
  image.write(id, at + 1, 'latin1');
  image.writeUInt8(1, at + 6);
  return at;
};

/** A bootable ISO 9660 disc without files (ECMA-119): primary descriptor, El Torito boot record, terminator. */
export function buildIso(...changes: readonly Change[]): Buffer {
  const image = Buffer.alloc(sectors * sectorBytes);
  const primary = descriptor(image, 0, 1, 'CD001');
  image.write('LEHR TEST'.padEnd(32), primary + 40, 'latin1');
  image.writeUInt32LE(sectors, primary + 80);
  image.writeUInt32BE(sectors, primary + 84);
  image.writeUInt16LE(sectorBytes, primary + 128);
  image.writeUInt16BE(sectorBytes, primary + 130);
  image.write('EL TORITO SPECIFICATION', descriptor(image, 1, 0, 'CD001') + 7, 'latin1');
  descriptor(image, 2, 255, 'CD001');
  return changed(image, ...changes);
}

/** The volume recognition sequence of a disc with nothing but UDF (ECMA-167, 2/9). */
export function buildUdf(): Buffer {
  const image = Buffer.alloc(sectors * sectorBytes);
  ['BEA01', 'NSR03', 'TEA01'].forEach((id, index) => void descriptor(image, index, 0, id));
  return image;
}
