import type { Event } from '../../../src/gen/lehr/v1/event.ts';
import type { Api } from './api.ts';

/** The events of one stream as an auditor lists them. */
export async function eventsOf(api: Api, subject: string): Promise<readonly Event[]> {
  const { events } = await api.listEvents({ subject, pageSize: 1_000 });
  return events;
}

/** What happened on a stream, in order, such as `stageCompleted fetch`. */
export function story(events: readonly Event[]): readonly string[] {
  return events.map(({ payload }) => (payload?.$case === 'stageCompleted' ? `stageCompleted ${payload.value.stage}` : payload?.$case ?? 'unknown'));
}
