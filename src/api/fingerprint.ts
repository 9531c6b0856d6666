import { hash } from 'node:crypto';
import type { CreateTaskRequest } from '../gen/lehr/v1/task_service.ts';

/**
 * SHA-256 over spec, labels and ttl of a request, with maps sorted by key: two requests have the same fingerprint when they
 * ask for the same. Kept in `TaskCreated`, so what goes into it must never change.
 */
export function fingerprintOf({ spec, labels, ttl }: Pick<CreateTaskRequest, 'spec' | 'labels' | 'ttl'>): Buffer {
  return hash('sha256', sortedJson([spec, labels, ttl]), 'buffer');
}

/** JSON with sorted keys; integers beyond what JSON holds are texts, what is undefined is null. */
function sortedJson(value: unknown): string {
  if (typeof value === 'bigint') return `"${value}"`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${sortedJson(entry)}`).join(',')}}`;
}
