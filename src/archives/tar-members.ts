import type { ByteReader } from '../formats/reading/byte-reader.ts';
import { printable } from '../formats/reading/printable.ts';
import { refuse } from '../formats/refuse.ts';
import { tarBlockBytes } from '../formats/content/tar-member.ts';
import { readPaxRecords } from './pax-records.ts';
import { readTarHeader } from './tar-header.ts';
import type { TarHeader } from './tar-header.ts';

/** A file in an archive. */
export interface TarMember {
  readonly name: string;
  /** Where its content begins. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** An OVA holds a descriptor, a manifest, a certificate and some files; nobody needs more. */
export const memberLimit = 64;
/** A name is at most so long, and an extended header with it. */
const extendedLimitBytes = 64 * 1024;
const nameLimit = 255;
/** Extended headers before one member: archivers write one or two. Each may have as many records as fit, and all are kept until then. */
const extendedLimit = 4;

/**
 * The members of an archive in order, every one of them judged: plain files alone (no links, devices, folders or sparse files),
 * names that stay in their folder and differ from each other, contents inside the file, nothing but zeros behind the end.
 * Refuses by the checks `ova.…`.
 */
export function* readTarMembers(file: ByteReader): Generator<number, readonly TarMember[], undefined> {
  const members: TarMember[] = [];
  let extended: ReadonlyMap<string, string> = new Map();
  let extendedCount = 0;
  for (let at = 0; ; ) {
    yield at;
    const header = readTarHeader(file.read(at, tarBlockBytes), at);
    if (header === undefined) {
      yield* checkRest(file, at);
      return members;
    }
    const sizeBytes = sizeOf(header, extended);
    const offset = at + tarBlockBytes;
    if (offset + sizeBytes > file.sizeBytes) {
      const message = `The member at ${at} claims ${sizeBytes} bytes, more than the archive has left.`;
      refuse('ova.archive', message, { offset: at, value: sizeBytes });
    }
    at = offset + Math.ceil(sizeBytes / tarBlockBytes) * tarBlockBytes;
    if (header.type === 'x' || header.type === 'L') {
      extendedCount += 1;
      if (extendedCount > extendedLimit) {
        const message = `More than ${extendedLimit} extended headers stand before one member, up to ${header.offset}.`;
        refuse('ova.limits', message, { offset: header.offset, value: extendedCount, limit: extendedLimit });
      }
      extended = new Map([...extended, ...readExtended(file, header, sizeBytes)]);
      continue;
    }
    const name = checkMember(header, extended, members);
    extended = new Map();
    extendedCount = 0;
    members.push({ name, offset, sizeBytes });
  }
}

function readExtended(file: ByteReader, { offset, type }: TarHeader, sizeBytes: number): ReadonlyMap<string, string> {
  if (sizeBytes > extendedLimitBytes) {
    refuse('ova.limits', `The extended header at ${offset} has ${sizeBytes} bytes, more than the ${extendedLimitBytes} allowed.`, { offset, value: sizeBytes });
  }
  const bytes = file.read(offset + tarBlockBytes, sizeBytes);
  if (type === 'x') return readPaxRecords(bytes, offset + tarBlockBytes);
  return new Map([['path', Buffer.from(bytes).toString('utf8').replace(/\0+$/, '')]]);
}

function sizeOf(header: TarHeader, extended: ReadonlyMap<string, string>): number {
  const stated = header.type === 'x' || header.type === 'L' ? undefined : extended.get('size');
  if (stated === undefined) return header.sizeBytes;
  const value = /^\d{1,16}$/.test(stated) ? Number(stated) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  return refuse('ova.archive', `The size of the member at ${header.offset} is no number.`, { offset: header.offset, value: printable(stated) });
}

function checkMember(header: TarHeader, extended: ReadonlyMap<string, string>, before: readonly TarMember[]): string {
  const { offset, type } = header;
  const isSparse = [...extended.keys()].some((key) => key.startsWith('GNU.sparse.'));
  if ((type !== '0' && type !== '\0') || isSparse) {
    const value = isSparse ? 'sparse' : printable(type);
    refuse('ova.member_type', `The member at ${offset} is no plain file, but of type "${value}".`, { offset, value });
  }
  const stated = extended.get('path') ?? header.name;
  const name = stated.replace(/^\.\//, '');
  if (!isPlainName(name)) {
    refuse('ova.member_name', `The member at ${offset} is named "${printable(stated)}".`, { offset, value: printable(stated) });
  }
  if (before.some((member) => member.name.toLowerCase() === name.toLowerCase())) {
    refuse('ova.duplicate_member', `Two members are named "${printable(name)}".`, { offset, value: printable(name) });
  }
  if (before.length >= memberLimit) {
    refuse('ova.limits', `The archive has more than ${memberLimit} members.`, { offset, value: before.length + 1, limit: memberLimit });
  }
  return name;
}

/** A name of a file beside the descriptor: no folder, no drive, no scheme, nothing that is not printable. */
export function isPlainName(name: string): boolean {
  return name.length <= nameLimit && /^[^/\\:\p{C}]+$/u.test(name) && !name.includes('\ufffd') && name !== '.' && name !== '..';
}

function* checkRest(file: ByteReader, start: number): Generator<number, void, undefined> {
  const pieceBytes = 64 * 1024;
  for (let at = start; at < file.sizeBytes; at += pieceBytes) {
    const index = file.read(at, pieceBytes).findIndex((byte) => byte !== 0);
    const offset = at + index;
    if (index >= 0) refuse('ova.archive', `Something follows the end of the archive, at ${offset}.`, { offset, value: file.sizeBytes - offset });
    yield at;
  }
}
