import { createHash } from 'node:crypto';
import type { SourceRequest, SourceStart, Validators } from '../sources/source.ts';

/** What the bytes in a staged file are of. */
export interface FetchedContent {
  /** See `sourceKey`. */
  readonly source: string;
  /** Of the whole content. */
  readonly sizeBytes: number;
  readonly validators: Validators;
  /** See `SourceStart.facts`. */
  readonly facts: Readonly<Record<string, string>>;
}

/** How far a staged file is durable; it stands beside the file as a note, for a later attempt of the task. */
export interface FetchCheckpoint extends FetchedContent {
  readonly lengthBytes: number;
  /** Of so many bytes. */
  readonly digest: string;
}

/** Stands for a source in a note: addresses may hold secrets. */
export function sourceKey({ uri, credential }: SourceRequest): string {
  return createHash('sha256').update(JSON.stringify([uri, credential])).digest('hex');
}

/** What a source has begun to send; undefined where nobody could go on with it. */
export function contentOf(source: string, { sizeBytes, validators, facts }: SourceStart): FetchedContent | undefined {
  return sizeBytes === undefined || validators === undefined ? undefined : { source, sizeBytes, validators, facts };
}

/** A checkpoint as a note. */
export function noteOf(checkpoint: FetchCheckpoint): string {
  return JSON.stringify(checkpoint);
}

/** The checkpoint in a note; undefined where it is none. Whether it is true of the file is seen when that is read. */
export function checkpointOf(note: string): FetchCheckpoint | undefined {
  let value: unknown;
  try {
    value = JSON.parse(note);
  } catch {
    return undefined;
  }
  return isCheckpoint(value) ? value : undefined;
}

function isCheckpoint(value: unknown): value is FetchCheckpoint {
  if (typeof value !== 'object' || value === null) return false;
  const { source, sizeBytes, validators, facts, lengthBytes, digest } = value as Partial<Record<keyof FetchCheckpoint, unknown>>;
  return typeof source === 'string' && typeof digest === 'string' && isTexts(validators) && isTexts(facts)
    && isCount(sizeBytes) && isCount(lengthBytes) && lengthBytes > 0 && lengthBytes <= sizeBytes;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isTexts(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
}
