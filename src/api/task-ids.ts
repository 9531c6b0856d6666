import { createHash, randomUUID } from 'node:crypto';

/** The namespace of task ids that are derived from request ids (RFC 9562 §5.5). Never changes. */
const requestNamespace = Buffer.from('5f1c7c1e9d0b4a5c8a3e2f6b7d8c9e01', 'hex');

/** The id of the task that `owner` asked for under `requestId`: a UUIDv5, the same each time (AIP-155). */
export function taskIdOfRequest(owner: string, requestId: string): string {
  const digest = createHash('sha1').update(requestNamespace).update(owner).update('\0').update(requestId).digest();
  return formatUuid(digest.subarray(0, 16), 5);
}

/** A new id: a UUIDv7 (RFC 9562 §5.7), whose order is about that of creation, which keeps indexes small and quick. */
export function newTaskId(now: Date): string {
  // randomUUID draws from a pool of random bytes that Node keeps, which is much quicker than asking for 10 at a time.
  const random = randomUUID();
  const time = now.getTime().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}

/** Writes version and variant into 16 bytes and formats them. */
function formatUuid(bytes: Buffer, version: number): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
