import type { Event } from '../../../src/gen/lehr/v1/event.ts';
import type { Api } from '../../acceptance/harness/api.ts';

/** The events of each stream, in the order in which one node tells them. */
export type ReadLog = ReadonlyMap<string, readonly Event[]>;

/** Reads the whole log through one node, as an auditor does. */
export async function readLog(api: Api): Promise<ReadLog> {
  const streams = new Map<string, Event[]>();
  for await (const { event } of api.streamEvents({})) {
    if (event === undefined) continue;
    const others = streams.get(event.subject);
    if (others === undefined) streams.set(event.subject, [event]);
    else others.push(event);
  }
  return streams;
}
