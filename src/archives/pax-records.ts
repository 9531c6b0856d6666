import { refuse } from '../formats/refuse.ts';

/**
 * The records of a pax header (POSIX pax, "pax Extended Header"): `<length> <name>=<value>\n`, where the length is that of the
 * whole record in bytes. Refuses by `ova.archive` what is of another shape; `offset` is where they stand.
 */
export function readPaxRecords(bytes: Uint8Array, offset: number): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const length = Number(/^(\d{1,7}) /.exec(Buffer.from(bytes.subarray(at, at + 8)).toString('latin1'))?.[1] ?? 0);
    const record = Buffer.from(bytes.subarray(at, at + length)).toString('utf8');
    const parts = /^\d+ ([^=]+)=([^]*)\n$/.exec(record);
    if (parts === null || at + length > bytes.length) {
      return refuse('ova.archive', `The extended header at ${offset} has a record of a wrong shape.`, { offset: offset + at, value: length });
    }
    records.set(parts[1] ?? '', parts[2] ?? '');
    at += length;
  }
  return records;
}
