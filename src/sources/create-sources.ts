import { setTimeout } from 'node:timers/promises';
import { credentialOf, noCredentials } from '../credentials/credential.ts';
import type { HttpCredential } from '../credentials/credential.ts';
import { FailureError, failure } from '../domain/failures.ts';
import { credentialFault } from './check-source-credential.ts';
import { checkSourceUri } from './check-source-uri.ts';
import type { CheckedSourceUri, SourceRules } from './check-source-uri.ts';
import { continueReading } from './continue-reading.ts';
import type { Pause, ReadOnce } from './continue-reading.ts';
import { displayUrl } from './display-url.ts';
import { HttpConnections } from './http-connections.ts';
import type { ObjectReading } from './objects/ask-object.ts';
import { Endpoints } from './objects/endpoints.ts';
import { ObjectDoors } from './objects/object-doors.ts';
import { objectUri } from './objects/object-uri.ts';
import type { ObjectAddress } from './objects/object-uri.ts';
import { openObjectRanges, readObject } from './objects/read-object.ts';
import { openFileRanges } from './open-file-ranges.ts';
import { openHttpRanges } from './open-http-ranges.ts';
import { readFileSource } from './read-file-source.ts';
import { readHttpSource } from './read-http-source.ts';
import type { RegionAccesses } from './region-access.ts';
import { RegionSources } from './region-sources.ts';
import type { SourceRequest, Sources } from './source.ts';

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
  /** Other Lehrs, which images are cloned from. */
  readonly regions?: RegionAccesses;
}

const pauseFor: Pause = (delayMs, signal) => setTimeout(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());

/** The sources that this server can read: http, https, s3, swift and file, and the images of regions. */
export function createSources(settings: SourceSettings): Sources {
  const { credentials = noCredentials } = settings;
  const connections = new HttpConnections(settings.idleTimeoutMs, settings.sourceAllow);
  const endpoints = new Endpoints(settings.idleTimeoutMs);
  const doors = new ObjectDoors(credentials, endpoints, settings.now);
  const pause = settings.pause ?? pauseFor;
  const regions = new RegionSources(settings.regions ?? new Map(), settings, pause);
  const check = ({ uri, credential, owner }: SourceRequest, signal: AbortSignal): Extract<CheckedSourceUri, { ok: true }> => {
    signal.throwIfAborted();
    const checked = checkSourceUri(uri, settings);
    if (!checked.ok) throw new FailureError(failure('SOURCE_NOT_ALLOWED', checked.message));
    // The configuration may have changed since the task was accepted.
    const fault = credentialFault(checked, credential, owner, credentials);
    if (fault !== undefined) throw new FailureError(failure('SOURCE_FORBIDDEN', `The credential of the task cannot be used: ${fault}.`));
    return checked;
  };
  const httpCredential = ({ credential, owner }: SourceRequest): HttpCredential | undefined => {
    const found = credentialOf(credentials, credential, owner, 'http');
    return found.ok ? found.credential : undefined;
  };
  const readingOf = (address: ObjectAddress, { credential, owner }: SourceRequest): ObjectReading => {
    const found = doors.find(address.kind, credential, owner);
    if (!found.ok) throw new FailureError(failure('SOURCE_FORBIDDEN', found.message));
    return { door: found.door, address, endpoints, limits: settings };
  };
  return {
    async read(request, receiver, signal) {
      const { region } = request;
      if (region !== undefined) return regions.read({ ...request, region }, receiver, signal);
      const checked = check(request, signal);
      switch (checked.kind) {
        case 'http': {
          const { url } = checked;
          const credential = httpCredential(request);
          const readOnce: ReadOnce = ({ resume }, ...rest) => readHttpSource(url, resume, settings, connections, ...rest, credential);
          return continueReading(readOnce, displayUrl(url), request, receiver, signal, pause);
        }
        case 'object': {
          const { address } = checked;
          const readOnce: ReadOnce = ({ resume }, ...rest) => readObject(readingOf(address, request), resume, ...rest);
          return continueReading(readOnce, objectUri(address), request, receiver, signal, pause);
        }
        case 'file':
          return readFileSource(checked.path, settings, receiver, signal);
        default:
          return checked satisfies never;
      }
    },
    async openRanges(request, signal) {
      const checked = check(request, signal);
      switch (checked.kind) {
        case 'http':
          return openHttpRanges(checked.url, httpCredential(request), settings, connections, signal);
        case 'object':
          return openObjectRanges(readingOf(checked.address, request), signal);
        case 'file':
          return openFileRanges(checked.path, settings);
        default:
          return checked satisfies never;
      }
    },
    async close() {
      await Promise.all([connections.close(), endpoints.close(), regions.close()]);
    },
  };
}
