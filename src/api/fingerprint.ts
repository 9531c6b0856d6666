import { createHash } from 'node:crypto';
import type { CreateTaskRequest } from '../gen/lehr/v1/task_service.ts';

/**
 * SHA-256 over spec, labels and ttl of a request, with maps sorted by key: two requests have the same fingerprint when they
 * ask for the same. Kept in `TaskCreated`, so what goes into it must never change.
 */
export function fingerprintOf({ spec, labels, ttl }: Pick<CreateTaskRequest, 'spec' | 'labels' | 'ttl'>): Buffer {
  return createHash('sha256').update(JSON.stringify([spec, labels, ttl], sorted)).digest();
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
