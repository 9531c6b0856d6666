import { hasReached, latest, startPosition, type Position } from '../../src/log/position.ts';
import type { EventLog } from '../../src/log/event-log.ts';

/** A record as it came out of a log. */
export interface ReadRecord {
  readonly canonical: string;
  readonly hash: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** Where a record lies. */
export function positionOf({ partition, offset }: Pick<ReadRecord, 'partition' | 'offset'>): Position {
  return new Map([[partition, offset]]);
}

/** Reads everything after `from` up to what is the end now, partition by partition: between those a log promises no order. */
export async function readLog(log: EventLog, from: Position = startPosition): Promise<ReadRecord[]> {
  const end = await log.end();
  const records: ReadRecord[] = [];
  if (hasReached(from, end)) return records;
  const stop = new AbortController();
  let position = from;
  for await (const batch of log.read(from, stop.signal)) {
    for (const { canonical, hash, partition, offset } of batch) {
      records.push({ canonical: Buffer.from(canonical).toString('hex'), hash, partition, offset });
      position = latest(position, positionOf({ partition, offset }));
    }
    if (hasReached(position, end)) stop.abort();
  }
  return records.toSorted((a, b) => a.partition - b.partition);
}
