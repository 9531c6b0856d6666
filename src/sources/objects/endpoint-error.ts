import type { EndpointAnswer } from './endpoint-exchange.ts';
import type { ResponseHeaders } from '../http-question.ts';

/** An object store could not be asked: no connection, no answer, or one that broke off. `url` is what messages show. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  readonly url: URL;

  constructor(url: URL, cause: Error) {
    super(`${url.origin} could not be asked.`, { cause });
    this.url = url;
  }
}

/** An object store answered with a status that was not hoped for. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly url: URL;
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** The code of an error in S3's XML, such as NoSuchBucket; empty where there is none. */
  readonly code: string;
  /** See `EndpointAnswer.isExpired`. */
  readonly isExpired: boolean;

  constructor(url: URL, { status, headers, body, isExpired = false }: EndpointAnswer) {
    super(`${url.origin} answered ${status}.`);
    this.url = url;
    this.status = status;
    this.headers = headers;
    this.isExpired = isExpired;
    this.code = /<Code>(\w{1,64})<\/Code>/.exec(body.toString())?.[1] ?? '';
  }
}
