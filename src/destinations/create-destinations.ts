import { credentialOf, noCredentials } from '../credentials/credential.ts';
import { FailureError, failure } from '../domain/failures.ts';
import { credentialFault } from '../sources/check-source-credential.ts';
import type { SourceRules } from '../sources/check-source-uri.ts';
import { HttpConnections } from '../sources/http-connections.ts';
import { Endpoints } from '../sources/objects/endpoints.ts';
import { ObjectDoors } from '../sources/objects/object-doors.ts';
import { checkDestinationUri, type CheckedDestinationUri } from './check-destination-uri.ts';
import type { DestinationRequest, Destinations } from './destination.ts';
import { deliverFile, removeFileLeftovers, withdrawFile, type FileTarget } from './file/file-destination.ts';
import { deliverHttp, withdrawHttp, type HttpDestinationDeps } from './http/http-destination.ts';
import { locationOf } from './location-of.ts';
import { objectDestinations } from './objects/object-destinations.ts';
import type { FileWork } from './stored-bytes.ts';

/** What an operator sets for destinations, and what they work with. */
export interface DestinationSettings extends SourceRules {
  /** How long a destination may take nothing, or leave a request without an answer. */
  readonly idleTimeoutMs: number;
  /** The clock that a Retry-After date is compared with. */
  readonly now: () => Date;
  readonly files: FileWork;
}

type Accepted = Extract<CheckedDestinationUri, { ok: true }>;

/** The destinations that this server can write to: file, http, https, s3 and swift. */
export function createDestinations(settings: DestinationSettings): Destinations {
  const { credentials = noCredentials, idleTimeoutMs, sourceAllow, now } = settings;
  const connections = new HttpConnections(idleTimeoutMs, sourceAllow);
  const endpoints = new Endpoints(idleTimeoutMs);
  const objects = objectDestinations(new ObjectDoors(credentials, endpoints, now));
  const httpFor = ({ credential, owner }: DestinationRequest): HttpDestinationDeps => {
    const found = credentialOf(credentials, credential, owner, 'http');
    return { limits: settings, connections, credential: found.ok ? found.credential : undefined };
  };
  const check = ({ uri, credential, owner }: DestinationRequest, signal: AbortSignal): Accepted => {
    signal.throwIfAborted();
    const checked = checkDestinationUri(uri, settings);
    if (!checked.ok) throw new FailureError(failure('DESTINATION_NOT_ALLOWED', checked.message));
    // The configuration may have changed since the task was accepted.
    const fault = credentialFault(checked, credential, owner, credentials);
    if (fault !== undefined) throw new FailureError(failure('DESTINATION_FORBIDDEN', `The credential of the task cannot be used: ${fault}.`));
    return checked;
  };
  return {
    async deliver(request, artefact, delivery) {
      const checked = check(request, delivery.signal);
      switch (checked.kind) {
        case 'http':
          return deliverHttp(checked.url, artefact, delivery, httpFor(request));
        case 'object':
          return objects.deliver(request, artefact, delivery);
        case 'file':
          return deliverFile(targetOf(checked), artefact, delivery, settings);
        default:
          return checked satisfies never;
      }
    },
    async withdraw(request, delivered, signal) {
      const checked = check(request, signal);
      switch (checked.kind) {
        case 'http':
          return withdrawHttp(checked.url, delivered, signal, httpFor(request));
        case 'object':
          return objects.withdraw(request, delivered, signal);
        case 'file':
          return withdrawFile(targetOf(checked), delivered, signal, settings);
        default:
          return checked satisfies never;
      }
    },
    async removeLeftovers(request, ended, signal) {
      const checked = check(request, signal);
      switch (checked.kind) {
        case 'http':
          // Nobody can tell what lies there.
          return;
        case 'object':
          return objects.removeLeftovers(request, ended, signal);
        case 'file':
          return removeFileLeftovers(targetOf(checked), ended, settings);
        default:
          return checked satisfies never;
      }
    },
    async close() {
      await Promise.all([connections.close(), endpoints.close()]);
    },
  };
}

function targetOf({ path, url }: Extract<Accepted, { kind: 'file' }>): FileTarget {
  return { path, location: locationOf(url) };
}
