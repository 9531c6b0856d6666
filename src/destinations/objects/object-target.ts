import { createHash } from 'node:crypto';
import { headerText } from '../../sources/header-text.ts';
import { StatusError } from '../../sources/objects/endpoint-error.ts';
import type { EndpointAnswer } from '../../sources/objects/endpoint-exchange.ts';
import type { ObjectDoor, ObjectRequest } from '../../sources/objects/object-door.ts';
import { objectUri } from '../../sources/objects/object-uri.ts';
import type { ObjectAddress } from '../../sources/objects/object-uri.ts';

/** An object as its store describes it. */
export interface ObjectHead {
  readonly sizeBytes: number;
  /** Without quotes; empty where the store tells none. */
  readonly etag: string;
  /** Whether it is a manifest of Swift, whose bytes lie in segments of their own. */
  readonly isManifest: boolean;
}

/** What an object holds, read as a whole. */
export interface ObjectContent {
  readonly sizeBytes: number;
  /** "sha256:" and 64 lower-case hex digits. */
  readonly digest: string;
}

/** One object of an object store, which may not exist. Everything rejects with EndpointError, StatusError or the signal's reason. */
export class ObjectTarget {
  readonly address: ObjectAddress;
  readonly location: string;
  readonly #door: ObjectDoor;

  constructor(door: ObjectDoor, address: ObjectAddress) {
    this.#door = door;
    this.address = address;
    this.location = objectUri(address);
  }

  /** Sends a request about the object, or with `address` about another; a status that is not `hoped` for is a StatusError. */
  async ask(request: Omit<ObjectRequest, 'address'> & { readonly address?: ObjectAddress }, hoped: readonly number[], signal: AbortSignal): Promise<EndpointAnswer> {
    const address = request.address ?? this.address;
    const answer = await this.#door.ask({ ...request, address }, signal);
    if (!hoped.includes(answer.status)) throw new StatusError(new URL(objectUri(address)), answer);
    return answer;
  }

  /** What there is; undefined: nothing. A container that does not exist has nothing either. */
  async head(signal: AbortSignal, asking: Readonly<Record<string, string>> = {}): Promise<ObjectHead | undefined> {
    const answer = await this.ask({ method: 'HEAD', headers: asking }, [200, 404], signal);
    const { status, headers } = answer;
    if (status === 404) return undefined;
    return {
      sizeBytes: Number(headerText(headers, 'content-length')),
      etag: etagOf(answer),
      isManifest: headerText(headers, 'x-static-large-object') !== undefined,
    };
  }

  /** Reads all of the object; undefined where there is none. */
  async read(signal: AbortSignal): Promise<ObjectContent | undefined> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const take = (chunk: Uint8Array): void => {
      hash.update(chunk);
      sizeBytes += chunk.length;
    };
    const { status } = await this.ask({ method: 'GET', take }, [200, 404], signal);
    return status === 404 ? undefined : { sizeBytes, digest: `sha256:${hash.digest('hex')}` };
  }
}

/** The ETag of an answer, without quotes and in lower case. */
export function etagOf({ headers }: EndpointAnswer): string {
  return (headerText(headers, 'etag') ?? '').replaceAll('"', '').toLowerCase();
}
