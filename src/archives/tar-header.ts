import { refuse } from '../formats/refuse.ts';
import { isTarHeader, tarBlockBytes } from '../formats/content/tar-member.ts';

/** One header of a tar archive (POSIX pax, "ustar Interchange Format"; GNU tar, "Basic Tar Format"). */
export interface TarHeader {
  /** Where it stands. */
  readonly offset: number;
  readonly name: string;
  readonly sizeBytes: number;
  /** One character. */
  readonly type: string;
}

/** Reads the header at `offset`; undefined: all zeros, the end of the archive. Refuses by `ova.archive` what is neither. */
export function readTarHeader(bytes: Uint8Array, offset: number): TarHeader | undefined {
  if (bytes.length === tarBlockBytes && bytes.every((byte) => byte === 0)) return undefined;
  if (!isTarHeader(bytes)) {
    const value = Buffer.from(bytes.subarray(0, 8)).toString('hex');
    refuse('ova.archive', `No tar header with a right checksum stands at ${offset}, nor the end of the archive.`, { offset, value });
  }
  const isUstar = text(bytes, 257, 5) === 'ustar' && bytes[262] === 0;
  const prefix = isUstar ? text(bytes, 345, 155) : '';
  const name = text(bytes, 0, 100);
  return {
    offset,
    name: prefix === '' ? name : `${prefix}/${name}`,
    sizeBytes: readSize(bytes.subarray(124, 136), offset + 124),
    type: String.fromCharCode(bytes[156] ?? 0),
  };
}

/** UTF-8 up to the first zero; what is no UTF-8 becomes a character that no name may have. */
function text(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.subarray(at, at + length)).toString('utf8').split('\0', 1)[0] ?? '';
}

/** Octal digits or, as GNU tar has it for 8 GiB and more, a binary number behind a set bit. */
function readSize(field: Uint8Array, offset: number): number {
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    if (Number.isSafeInteger(value)) return value;
  }
  const digits = /^[ 0]*([0-7]*)[ \0]*$/.exec(Buffer.from(field).toString('latin1'))?.[1];
  if (digits !== undefined) return digits === '' ? 0 : Number.parseInt(digits, 8);
  return refuse('ova.archive', `The size of a member in the tar header at ${offset} is no number.`, { offset, value: Buffer.from(field).toString('hex') });
}
