import type { ListEventsRequest } from '../gen/lehr/v1/event_service.ts';
import type { FieldViolation } from './api-error.ts';

/** Events of a page where the request does not say, and at most. */
const defaultPageSize = 50;
const pageSizeLimit = 1_000;

/** Which events to read, and how the page after them is named. */
export interface EventPage {
  readonly afterRevision: number;
  readonly limit: number;
  readonly nextToken: (lastRevision: number) => string;
}

/** The page that a request asks for, or what is wrong with it. A token is bound to its subject. */
export function planEventPage({ subject, pageSize, pageToken }: ListEventsRequest):
  { readonly ok: true; readonly page: EventPage } | { readonly ok: false; readonly violations: readonly FieldViolation[] } {
  const violations: FieldViolation[] = [];
  if (subject === '') violations.push({ field: 'subject', description: 'is required: "tasks/<id>" or "images/<id>"' });
  if (pageSize < 0) violations.push({ field: 'page_size', description: 'must not be negative' });
  const afterRevision = pageToken === '' ? 0 : revisionOf(pageToken, subject);
  if (afterRevision === undefined) violations.push({ field: 'page_token', description: 'is no token of this list; send the next_page_token of a page of the same subject' });
  if (violations.length > 0 || afterRevision === undefined) return { ok: false, violations };
  return {
    ok: true,
    page: {
      afterRevision,
      limit: pageSize === 0 ? defaultPageSize : Math.min(pageSize, pageSizeLimit),
      nextToken: (lastRevision) => Buffer.from(`${lastRevision}@${subject}`).toString('base64url'),
    },
  };
}

function revisionOf(pageToken: string, subject: string): number | undefined {
  const match = /^(\d{1,15})@(.*)$/s.exec(Buffer.from(pageToken, 'base64url').toString('utf8'));
  return match?.[2] === subject ? Number(match[1]) : undefined;
}
