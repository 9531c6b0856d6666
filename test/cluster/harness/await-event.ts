import type { Event } from '../../../src/gen/lehr/v1/event.ts';
import type { Api } from '../../acceptance/harness/api.ts';
import { patienceMs, within } from './within.ts';

/** Follows a stream from its beginning, on one node, until an event of it is as asked for. */
export function awaitEvent(api: Api, subject: string, isAsAsked: (event: Event) => boolean, limitMs = patienceMs): Promise<Event> {
  return within(limitMs, `an event of ${subject}`, find(api, subject, isAsAsked));
}

async function find(api: Api, subject: string, isAsAsked: (event: Event) => boolean): Promise<Event> {
  for await (const { event } of api.streamEvents({ subjectPrefix: subject, follow: true })) {
    if (event !== undefined && isAsAsked(event)) return event;
  }
  throw new Error(`the node stopped to tell of ${subject}`);
}
