import { credentialOf, noCredentials } from '../credentials/credential.ts';
import { FailureError, failure } from '../domain/failures.ts';
import { credentialFault } from '../sources/check-source-credential.ts';
import type { SourceRules } from '../sources/check-source-uri.ts';
import { HttpConnections } from '../sources/http-connections.ts';
import { Endpoints } from '../sources/objects/endpoints.ts';
import { ObjectDoors } from '../sources/objects/object-doors.ts';
import { checkDestinationUri, type CheckedDestinationUri } from './check-destination-uri.ts';
import type { Artefact, Delivered, Delivery, DestinationRequest, Destinations, EndedExport } from './destination.ts';
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

/** What can be done at the one destination of a request. */
interface Adapter {
  readonly deliver: (artefact: Artefact, delivery: Delivery) => Promise<Delivered>;
  readonly withdraw: (delivered: Delivered) => Promise<boolean>;
  readonly removeLeftovers: (ended: EndedExport) => Promise<void>;
}

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
  const adapterFor = (request: DestinationRequest, signal: AbortSignal): Adapter => {
    const checked = check(request, signal);
    switch (checked.kind) {
      case 'http': {
        const { url } = checked;
        const http = httpFor(request);
        return {
          deliver: (artefact, delivery) => deliverHttp(url, artefact, delivery, http),
          withdraw: (delivered) => withdrawHttp(url, delivered, signal, http),
          // Nobody can tell what lies there.
          removeLeftovers: () => Promise.resolve(),
        };
      }
      case 'object':
        return {
          deliver: (artefact, delivery) => objects.deliver(request, artefact, delivery),
          withdraw: (delivered) => objects.withdraw(request, delivered, signal),
          removeLeftovers: (ended) => objects.removeLeftovers(request, ended, signal),
        };
      case 'file': {
        const target = targetOf(checked);
        return {
          deliver: (artefact, delivery) => deliverFile(target, artefact, delivery, settings),
          withdraw: (delivered) => withdrawFile(target, delivered, signal, settings),
          removeLeftovers: (ended) => removeFileLeftovers(target, ended, settings),
        };
      }
      default:
        return checked satisfies never;
    }
  };
  return {
    deliver: async (request, artefact, delivery) => adapterFor(request, delivery.signal).deliver(artefact, delivery),
    withdraw: async (request, delivered, signal) => adapterFor(request, signal).withdraw(delivered),
    removeLeftovers: async (request, ended, signal) => adapterFor(request, signal).removeLeftovers(ended),
    async close() {
      await Promise.all([connections.close(), endpoints.close()]);
    },
  };
}

function targetOf({ path, url }: Extract<Accepted, { kind: 'file' }>): FileTarget {
  return { path, location: locationOf(url) };
}
