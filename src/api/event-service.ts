import type { HeadQueries } from '../../projections/heads/queries.ts';
import type { HistoryQueries } from '../../projections/history/queries.ts';
import { decodeCanonical } from '../log/canonical.ts';
import { describeRecord } from '../log/envelope.ts';
import type { EventLog } from '../log/event-log.ts';
import { formatPosition, hasReached, parsePosition } from '../log/position.ts';
import type { ReadSide } from '../streams/read-side.ts';
import { ApiError, invalidArgument } from './api-error.ts';
import type { Call, EventMethods } from './call.ts';
import { awaitReadToken, orUnavailable } from './freshness.ts';
import { planEventPage } from './event-page.ts';
import { verifyEvents, type StoredRecords } from './verify-events.ts';

/** What the event service works with. */
export interface EventServiceDeps {
  readonly log: EventLog;
  readonly history: HistoryQueries;
  readonly heads: HeadQueries;
  readonly readSide: ReadSide;
  /** What the log holds, as stored. */
  readonly storedRecords: StoredRecords;
  /** Aborts when this server stops: whoever follows the log is let go. */
  readonly stopping: AbortSignal;
}

/** `lehr.v1.EventService`. */
export function eventService(deps: EventServiceDeps): EventMethods {
  const { log, history, heads, readSide } = deps;

  const requireStream = (subject: string, call: Call): void => {
    if (heads.get(subject)?.owner === call.owner) return;
    throw new ApiError('NOT_FOUND', 'STREAM_NOT_FOUND', `There is no stream ${subject.slice(0, 80)}. Subjects are "tasks/<id>" and "images/<id>".`);
  };

  return {
    async listEvents(request, call) {
      const planned = planEventPage(request);
      if (!planned.ok) throw invalidArgument(planned.violations);
      await awaitReadToken(readSide, request.readToken, call.signal);
      requireStream(request.subject, call);
      const { limit, afterRevision, nextToken } = planned.page;
      const rows = history.streamAfter(request.subject, afterRevision, limit + 1);
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        events: page.map(({ canonical, hash }) => describeRecord(decodeCanonical(canonical), hash)),
        nextPageToken: rows.length > limit && last !== undefined ? nextToken(last.revision) : '',
      };
    },

    async *streamEvents({ fromToken, follow, subjectPrefix }, call) {
      const from = parsePosition(fromToken);
      if (from === undefined) throw invalidArgument([{ field: 'from_token', description: 'is no token of this service; send one as you got it, or none' }]);
      const end = follow ? undefined : await orUnavailable(log.end());
      if (end !== undefined && hasReached(from, end)) return;
      const position = new Map(from);
      const signal = follow ? AbortSignal.any([call.signal, deps.stopping]) : call.signal;
      for await (const batch of log.read(from, signal)) {
        for (const { record, hash, partition, offset } of batch) {
          position.set(partition, offset);
          const { ce_owner: owner, ce_subject: subject } = record.headers;
          if (owner === call.owner && subject.startsWith(subjectPrefix)) {
            yield { event: describeRecord(record, hash), token: formatPosition(position) };
          }
        }
        if (end !== undefined && hasReached(position, end)) return;
      }
      // Short of its end the log is read no further only because somebody stops; to end as if all had come would be wrong.
      call.signal.throwIfAborted();
      throw new ApiError('UNAVAILABLE', 'SERVER_STOPPING', 'This server stops. Resume the stream with its last token, here or on another server.');
    },

    async verifyEvents({ subject }, call) {
      if (subject !== '') requireStream(subject, call);
      const end = await orUnavailable(log.end(subject === '' ? undefined : subject));
      await orUnavailable(readSide.reached(end, call.signal));
      return orUnavailable(verifyEvents(deps, subject, end, call));
    },
  };
}
