import type { Reason } from '../../gen/lehr/v1/failure.ts';

/** What the caller can do about each failure: the remedies of proto/lehr/v1/failure.proto, which a test holds against this. */
const remedies: Readonly<Record<Reason, string>> = {
  REASON_UNSPECIFIED: '',
  REASON_SOURCE_UNREACHABLE: 'Check the address and that the source is up.',
  REASON_SOURCE_NOT_FOUND: 'Check the path.',
  REASON_SOURCE_FORBIDDEN: 'Name a credential that may read it, or make it readable.',
  REASON_SOURCE_NOT_ALLOWED: 'Use another address, or ask the operator to allow it.',
  REASON_SOURCE_TRUNCATED: 'Try again; if it repeats, the source is damaged.',
  REASON_SOURCE_CHANGED: 'Import again once the source rests.',
  REASON_SOURCE_TOO_LARGE: 'Import a smaller image, or ask the operator to raise the limit.',
  REASON_SOURCE_TOO_SLOW: 'Try again later or from a faster source.',
  REASON_NOT_A_DISK_IMAGE: 'Check that the address leads to the image itself.',
  REASON_DIGEST_MISMATCH: 'Correct the digest, or find out who altered the image.',
  REASON_FORMAT_MISMATCH: 'Declare the format that the message names, or none.',
  REASON_FORMAT_UNSUPPORTED: 'Convert the image to a supported format first.',
  REASON_IMAGE_UNSAFE: 'Do what the message says; the reference of checks explains the check.',
  REASON_IMAGE_CORRUPT: 'Repair or make it anew.',
  REASON_DECOMPRESSION_LIMIT: 'Send the image uncompressed or with a weaker compression.',
  REASON_MALWARE_FOUND: 'Clean the image.',
  REASON_SCAN_INCOMPLETE: 'Try again later.',
  REASON_CHECK_REFUSED: 'Ask the operator.',
  REASON_CONVERSION_FAILED: 'See the message.',
  REASON_IMAGE_NOT_FOUND: 'Check the id.',
  REASON_DESTINATION_UNREACHABLE: 'Check the address; else try again later.',
  REASON_DESTINATION_FORBIDDEN: 'Name a credential that may write there, or make it writable.',
  REASON_DESTINATION_NOT_ALLOWED: 'Use another, or ask the operator to allow it.',
  REASON_DESTINATION_EXISTS: 'Choose another name.',
  REASON_DESTINATION_FULL: 'Make room there.',
  REASON_STORE_FULL: 'The operator makes room.',
  REASON_REGION_UNREACHABLE: 'Try again later.',
  REASON_QUOTA_EXCEEDED: 'Delete images or ask for more.',
  REASON_DEADLINE_EXCEEDED: 'Try again; for large images ask the operator for a longer limit.',
  REASON_ATTEMPTS_EXHAUSTED: 'Tell the operator; the nodes\' logs say why they died.',
  REASON_STORE_UNAVAILABLE: 'The operator looks after the disk.',
  REASON_SOURCE_ERROR: 'Try again; if it repeats, ask whoever runs the source.',
  REASON_TOO_MANY_PROPERTIES: 'Ask for fewer, or take some from the source first.',
  REASON_WORKER_FAULT: 'Tell the operator the incident.',
  UNRECOGNIZED: 'This command line is older than the server and does not know the reason; see the message.',
};

/** What to do about a failure, in a sentence; empty for the reason that is never sent. `check`: the one that failed, by its name. */
export function remedyFor(reason: Reason, check?: string): string {
  return check ? remedies[reason].replace(/the check\.$/, () => `${check}.`) : remedies[reason];
}
