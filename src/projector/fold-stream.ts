import { emptyStream, evolveStream, type StreamState } from '../domain/fold.ts';
import { decodeCanonical } from '../log/canonical.ts';
import { openRecord } from '../log/envelope.ts';
import { emptyHead, type Head } from '../log/head.ts';

/** A stream folded up to its head. */
export interface FoldedStream {
  readonly stream: StreamState | undefined;
  readonly head: Head;
}

interface StoredRevision {
  readonly canonical: Uint8Array;
  readonly hash: string;
  readonly revision: number;
}

/** Folds all records of a stream, given in order. An event of a type that this version does not know changes nothing but the head. */
export function foldStream(subject: string, rows: Iterable<StoredRevision>): FoldedStream {
  let stream = emptyStream(subject);
  let head = emptyHead;
  for (const { canonical, hash, revision } of rows) {
    const event = openRecord(decodeCanonical(canonical));
    if (event !== undefined && stream !== undefined) stream = evolveStream(stream, event);
    head = { revision: BigInt(revision), hash };
  }
  return { stream, head };
}
