import { isAscii } from 'node:buffer';
import { hash } from 'node:crypto';
import { headerNames, type LogRecord } from './record.ts';

/**
 * The bytes that a record's hash is computed over: for each `ce_` header in order of name its name and its value, then the
 * record's value, each preceded by its length as 4 bytes big-endian. It can be read back (`decodeCanonical`), so it is also
 * how records cross threads and how the history keeps them.
 */
export function encodeCanonical(record: LogRecord): Buffer {
  let length = 4 + record.value.length;
  for (const name of headerNames) length += 8 + name.length + Buffer.byteLength(record.headers[name]);
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const name of headerNames) {
    at = writeText(bytes, name, at);
    at = writeText(bytes, record.headers[name], at);
  }
  writeBytes(bytes, record.value, at);
  return bytes;
}

/** The same from the headers' values as bytes, in the order of `headerNames`. */
export function encodeCanonicalParts(headers: readonly Uint8Array[], value: Uint8Array): Buffer {
  let length = 4 + value.length;
  headerNames.forEach((name, index) => { length += 8 + name.length + (headers[index]?.length ?? 0); });
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  headerNames.forEach((name, index) => {
    at = writeText(bytes, name, at);
    at = writeBytes(bytes, headers[index] ?? noBytes, at);
  });
  writeBytes(bytes, value, at);
  return bytes;
}

const noBytes = new Uint8Array();

/** The record that `encodeCanonical` made `bytes` of. Throws where the bytes are no such encoding. */
export function decodeCanonical(bytes: Uint8Array): LogRecord {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ends = partEnds(buffer);
  const headersEnd = ends[2 * headerNames.length - 1] ?? 0;
  // One character a byte: texts are cut out of it, which costs much less than decoding each by itself.
  const text = buffer.toString('latin1', 0, headersEnd);
  const isPlain = isAscii(buffer.subarray(0, headersEnd));
  const headerAt = (index: number): string => {
    const name = headerNames[index] ?? '';
    const nameEnd = ends[2 * index] ?? 0;
    const end = ends[2 * index + 1];
    if (!text.endsWith(name, nameEnd) || nameEnd - name.length !== 4 + (ends[2 * index - 1] ?? 0)) {
      throw new TypeError(`record has no header ${name} where it belongs`);
    }
    return isPlain ? text.slice(nameEnd + 4, end) : readText(buffer.subarray(nameEnd + 4, end));
  };
  return {
    headers: {
      ce_id: headerAt(0), ce_owner: headerAt(1), ce_predecessorhash: headerAt(2), ce_sequence: headerAt(3), ce_source: headerAt(4),
      ce_specversion: headerAt(5), ce_subject: headerAt(6), ce_time: headerAt(7), ce_type: headerAt(8),
    },
    value: buffer.subarray(headersEnd + 4),
  };
}

/** SHA-256 of canonical bytes: 64 lower-case hexadecimal digits. */
export function hashCanonical(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** The hash of a record, by which it is recognised and which the stream's next record names. */
export function hashRecord(record: LogRecord): string {
  return hashCanonical(encodeCanonical(record));
}

/** Where each part ends: name and value of each header in turn, then the record's value. */
function partEnds(buffer: Buffer): readonly number[] {
  const ends: number[] = [];
  let at = 0;
  while (ends.length < 2 * headerNames.length + 1) {
    at += 4;
    if (at <= buffer.length) at += buffer.readUInt32BE(at - 4);
    if (at > buffer.length) throw new RangeError('record is cut short');
    ends.push(at);
  }
  if (at !== buffer.length) throw new RangeError('record is followed by other bytes');
  return ends;
}

/** Text that is not UTF-8 would be repaired on reading, so that another record than the stored one would be seen. */
function readText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (text.includes('\ufffd') && !bytes.equals(Buffer.from(text))) throw new TypeError('record has a header that is not UTF-8');
  return text;
}

function writeBytes(bytes: Buffer, part: Uint8Array, at: number): number {
  bytes.writeUInt32BE(part.length, at);
  bytes.set(part, at + 4);
  return at + 4 + part.length;
}

function writeText(bytes: Buffer, text: string, at: number): number {
  const written = bytes.write(text, at + 4);
  bytes.writeUInt32BE(written, at);
  return at + 4 + written;
}
