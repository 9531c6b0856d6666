import type { Accepted } from '../stages/inspect.ts';
import type { Finding } from './handler.ts';

/** What an inspection that let an image pass tells in its `StageCompleted`. */
export function inspectionFinding({ format, virtualSizeBytes, warnings, facts, guestDigest }: Accepted): Finding {
  return { format, virtualSizeBytes, warnings: [...warnings], facts: { ...facts, guest_digest: guestDigest } };
}
