import type { HistoryRow } from '../../projections/history/queries.ts';
import { emptyStream, evolveStream, type StreamState } from '../domain/fold.ts';
import { decodeCanonical } from '../log/canonical.ts';
import { openRecord } from '../log/envelope.ts';
import { emptyHead, type Head } from '../log/head.ts';
import { startPosition, type Position } from '../log/position.ts';

/** A stream folded up to its head. */
export interface FoldedStream {
  readonly stream: StreamState | undefined;
  readonly head: Head;
}

/** A stream folded from the history: a read that has reached `position`, the place of its last record, shows it. */
export interface StoredStream extends FoldedStream {
  readonly position: Position;
}

/** Folds all records of a stream, given in order. An event of a type that this version does not know changes nothing but the head. */
export function foldStream(subject: string, rows: Iterable<HistoryRow>): StoredStream {
  let stream = emptyStream(subject);
  let last: HistoryRow | undefined;
  for (const row of rows) {
    const event = openRecord(decodeCanonical(row.canonical));
    if (event !== undefined && stream !== undefined) stream = evolveStream(stream, event);
    last = row;
  }
  if (last === undefined) return { stream, head: emptyHead, position: startPosition };
  return { stream, head: { revision: BigInt(last.revision), hash: last.hash }, position: new Map([[last.partition, BigInt(last.offset)]]) };
}
