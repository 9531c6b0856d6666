import type { Event } from '../../../src/gen/lehr/v1/event.ts';

/** A line for each event, for a person. */
export function describeEvents(events: readonly Event[]): readonly string[] {
  return events.map(({ revision, time, payload, hash }) => (
    `${revision}  ${time?.toISOString() ?? ''}  ${payload?.$case ?? 'unknown'}${detailOf(payload)}  ${hash.slice(0, 12)}`
  ));
}

function detailOf(payload: Event['payload']): string {
  if (payload === undefined) return '';
  const { value } = payload;
  return [
    'attempt' in value ? ` attempt ${value.attempt}` : '',
    'incarnation' in value ? ` on ${value.node} (${value.incarnation})` : '',
    'stage' in value ? ` ${value.stage}` : '',
    'file' in value ? ` ${value.file}` : '',
    'failure' in value ? ` ${value.failure?.reason ?? ''}: ${value.failure?.message ?? ''}` : '',
  ].join('');
}
