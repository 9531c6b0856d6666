import { setTimeout } from 'node:timers/promises';
import { FailureError, failure } from '../domain/failures.ts';
import { checkSourceUri } from './check-source-uri.ts';
import type { CheckedSourceUri, SourceRules } from './check-source-uri.ts';
import { continueReading } from './continue-reading.ts';
import type { Pause, ReadOnce } from './continue-reading.ts';
import { displayUrl } from './display-url.ts';
import { HttpConnections } from './http-connections.ts';
import { openFileRanges } from './open-file-ranges.ts';
import { openHttpRanges } from './open-http-ranges.ts';
import { readFileSource } from './read-file-source.ts';
import { readHttpSource } from './read-http-source.ts';
import type { Sources } from './source.ts';

/** What an operator sets for sources. */
export interface SourceSettings extends SourceRules {
  /** How long a source may send nothing. */
  readonly idleTimeoutMs: number;
  /** A source may not be larger. */
  readonly maxImageBytes: number;
  /** The clock that a Retry-After date is compared with. */
  readonly now: () => Date;
  /** How to wait before a reading that broke off is continued; absent: by the machine's clock. */
  readonly pause?: Pause;
}

const pauseFor: Pause = (delayMs, signal) => setTimeout(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());

/** The sources that this server can read: http, https and file. */
export function createSources(settings: SourceSettings): Sources {
  const connections = new HttpConnections(settings.idleTimeoutMs, settings.sourceAllow);
  const check = (uri: string, signal: AbortSignal): Extract<CheckedSourceUri, { ok: true }> => {
    signal.throwIfAborted();
    const checked = checkSourceUri(uri, settings);
    if (!checked.ok) throw new FailureError(failure('SOURCE_NOT_ALLOWED', checked.message));
    return checked;
  };
  return {
    async read(request, receiver, signal) {
      const checked = check(request.uri, signal);
      switch (checked.kind) {
        case 'http': {
          const { url } = checked;
          const readOnce: ReadOnce = ({ resume }, ...rest) => readHttpSource(url, resume, settings, connections, ...rest);
          return continueReading(readOnce, displayUrl(url), request, receiver, signal, settings.pause ?? pauseFor);
        }
        case 'file':
          return readFileSource(checked.path, settings, receiver, signal);
        default:
          return checked satisfies never;
      }
    },
    async openRanges({ uri }, signal) {
      const checked = check(uri, signal);
      switch (checked.kind) {
        case 'http':
          return openHttpRanges(checked.url, settings, connections, signal);
        case 'file':
          return openFileRanges(checked.path, settings);
        default:
          return checked satisfies never;
      }
    },
    close: () => connections.close(),
  };
}
