import type { EndpointAnswer, EndpointRequest } from './endpoint-exchange.ts';
import type { ObjectAddress } from './object-uri.ts';

/** What is asked of an object store, without what the credential adds. */
export interface ObjectRequest {
  readonly method: EndpointRequest['method'];
  /** The object; an empty name: the container itself. */
  readonly address: ObjectAddress;
  /** Names and values; a value may be empty. */
  readonly query?: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: EndpointRequest['body'];
  readonly take?: EndpointRequest['take'];
}

/** A request as it is sent. */
export interface AdmittedRequest {
  readonly url: URL;
  /** Secrets among them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The way into one object store, by one credential. */
export interface ObjectDoor {
  /** Address and headers for a request. Rejects with EndpointError or StatusError where the credential gets no entry. */
  admit(request: ObjectRequest, signal: AbortSignal): Promise<AdmittedRequest>;
  /** After an answer of 401: gives up the entry that was refused. Whether another may be had. */
  renew(refused: AdmittedRequest): boolean;
  /**
   * Sends a request and answers with whatever status came; where the entry had expired it is sent again, or, if its
   * body cannot be had again, the answer says so. Rejects as `Endpoints.ask` and `admit` do.
   */
  ask(request: ObjectRequest, signal: AbortSignal): Promise<EndpointAnswer>;
}
