import { FailureError, failure } from '../domain/failures.ts';
import type { SourceRules } from '../sources/check-source-uri.ts';
import { HttpConnections } from '../sources/http-connections.ts';
import { checkDestinationUri, type CheckedDestinationUri } from './check-destination-uri.ts';
import type { Destinations } from './destination.ts';
import { deliverFile, withdrawFile, type FileTarget } from './file/file-destination.ts';
import { deliverHttp, withdrawHttp } from './http/http-destination.ts';
import { locationOf } from './location-of.ts';
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

/**
 * The destinations that this server can write to: file, http and https, and the schemes of `plugins`, by their names without the colon.
 */
export function createDestinations(settings: DestinationSettings, plugins: Readonly<Record<string, Destinations>> = {}): Destinations {
  const connections = new HttpConnections(settings.idleTimeoutMs, settings.sourceAllow);
  const http = { limits: settings, connections };
  const pluginFor = (uri: string): Destinations | undefined => {
    const [, scheme = ''] = /^([a-z0-9+.-]+):/i.exec(uri) ?? [];
    return Object.hasOwn(plugins, scheme.toLowerCase()) ? plugins[scheme.toLowerCase()] : undefined;
  };
  const check = (uri: string, signal: AbortSignal): Accepted => {
    signal.throwIfAborted();
    const checked = checkDestinationUri(uri, settings);
    if (!checked.ok) throw new FailureError(failure('DESTINATION_NOT_ALLOWED', checked.message));
    return checked;
  };
  return {
    async deliver(request, artefact, delivery) {
      const plugin = pluginFor(request.uri);
      if (plugin !== undefined) return plugin.deliver(request, artefact, delivery);
      const checked = check(request.uri, delivery.signal);
      switch (checked.kind) {
        case 'http':
          return deliverHttp(checked.url, artefact, delivery, http);
        case 'file':
          return deliverFile(targetOf(checked), artefact, delivery, settings);
        default:
          return checked satisfies never;
      }
    },
    async withdraw(request, delivered, signal) {
      const plugin = pluginFor(request.uri);
      if (plugin !== undefined) return plugin.withdraw(request, delivered, signal);
      const checked = check(request.uri, signal);
      switch (checked.kind) {
        case 'http':
          return withdrawHttp(checked.url, delivered, signal, http);
        case 'file':
          return withdrawFile(targetOf(checked), delivered, signal, settings);
        default:
          return checked satisfies never;
      }
    },
    async close() {
      await Promise.all([connections.close(), ...Object.values(plugins).map((plugin) => plugin.close())]);
    },
  };
}

function targetOf({ path, url }: Extract<Accepted, { kind: 'file' }>): FileTarget {
  return { path, location: locationOf(url) };
}
