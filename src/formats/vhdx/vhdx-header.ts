import type { ByteReader } from '../reading/byte-reader.ts';
import { crc32c } from '../reading/crc32c.ts';
import { Fields } from '../reading/fields.ts';
import { guidText } from '../reading/guid-text.ts';
import { refuse } from '../refuse.ts';
import { hasAt } from '../reading/signature.ts';
import type { VhdxRegion } from './vhdx-regions.ts';

const headerOffsets = [64 * 1024, 128 * 1024] as const;
const headerLength = 4096;
const guidLength = 16;
const noLog = '00000000-0000-0000-0000-000000000000';
const alignmentBytes = 1024n * 1024n;

/** Where in a header the fields are that matter. */
const at = { checksum: 4, sequence: 8, logId: 48, logVersion: 64, version: 66, logLength: 68, logOffset: 72 } as const;

interface VhdxHeader {
  readonly offset: number;
  readonly fields: Fields;
  readonly sequence: bigint;
}

/**
 * Judges the two headers ([MS-VHDX] 2.2.2) and gives the place of the log: of those with a right checksum the one with the
 * higher sequence number is active, and its log must be empty, since nobody but a writer can replay it. The other one may
 * be older in every respect. Whether the log's place is inside the file is judged with the regions.
 */
export function readVhdxHeaders(read: ByteReader['read']): VhdxRegion {
  const [first, second] = headerOffsets.map((offset) => readHeader(read(offset, headerLength), offset));
  if (first && second && first.sequence === second.sequence && Buffer.compare(first.fields.bytes, second.fields.bytes) !== 0) {
    refuse('vhdx.header', 'The two headers have the same sequence number and different content.', {
      offset: second.offset + at.sequence,
      value: second.sequence,
    });
  }
  const active = first && second && second.sequence > first.sequence ? second : (first ?? second);
  if (!active) {
    const stated = new Fields(read(headerOffsets[0], headerLength), 'VHDX header', headerOffsets[0]).u32le(at.checksum);
    return refuse('vhdx.header', 'Neither of the two headers has a right checksum.', { offset: headerOffsets[0] + at.checksum, value: stated });
  }
  return judgeActive(active);
}

function judgeActive({ offset, fields }: VhdxHeader): VhdxRegion {
  const version = fields.u16le(at.version);
  if (version !== 1) refuse('vhdx.header', `The VHDX version is ${version}.`, { offset: offset + at.version, value: version });
  const logVersion = fields.u16le(at.logVersion);
  if (logVersion !== 0) refuse('vhdx.header', `The version of the log is ${logVersion}.`, { offset: offset + at.logVersion, value: logVersion });
  const logId = guidText(fields.slice(at.logId, guidLength));
  if (logId !== noLog) {
    refuse('vhdx.log', 'The image was not closed cleanly: its log has entries that must be replayed.', { offset: offset + at.logId, value: logId });
  }
  const log = { offset: fields.u64le(at.logOffset), lengthBytes: fields.u32le(at.logLength), statedAt: offset + at.logOffset };
  if (log.offset < alignmentBytes || log.offset % alignmentBytes !== 0n || BigInt(log.lengthBytes) % alignmentBytes !== 0n) {
    refuse('vhdx.header', `The log of ${log.lengthBytes} bytes at ${log.offset} is not aligned, or lies in the headers.`, {
      offset: log.statedAt,
      value: log.offset,
    });
  }
  return log;
}

function readHeader(bytes: Uint8Array, offset: number): VhdxHeader | undefined {
  const fields = new Fields(new Fields(bytes, 'VHDX header', offset).slice(0, headerLength), 'VHDX header', offset);
  if (!hasAt(fields.bytes, 0, 'head') || crc32c(fields.bytes, at.checksum) !== fields.u32le(at.checksum)) return undefined;
  return { offset, fields, sequence: fields.u64le(at.sequence) };
}
