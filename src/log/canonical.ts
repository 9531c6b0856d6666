import { hash } from 'node:crypto';
import { headerNames, type LogRecord, type RecordHeaders } from './record.ts';

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
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headers: Record<string, string> = {};
  let at = 0;
  const next = (): Buffer => {
    const length = buffer.readUInt32BE(at);
    at += 4 + length;
    if (at > buffer.length) throw new RangeError('record is cut short');
    return buffer.subarray(at - length, at);
  };
  for (const name of headerNames) {
    if (next().toString('latin1') !== name) throw new TypeError(`record has no header ${name} where it belongs`);
    headers[name] = readText(next());
  }
  const value = next();
  if (at !== buffer.length) throw new RangeError('record is followed by other bytes');
  return { headers: headers as unknown as RecordHeaders, value };
}

/** SHA-256 of canonical bytes: 64 lower-case hexadecimal digits. */
export function hashCanonical(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** The hash of a record, by which it is recognised and which the stream's next record names. */
export function hashRecord(record: LogRecord): string {
  return hashCanonical(encodeCanonical(record));
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
