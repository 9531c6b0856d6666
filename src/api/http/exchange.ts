import type { IncomingMessage, ServerResponse } from 'node:http';

/** One request and the answer that is being given to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The path of the request, percent-encoded as it came, without the query. */
  readonly path: string;
}

/** A set of paths and what answers them. */
export interface Route {
  /** Whether the path is this route's, whatever the method. */
  readonly takes: (path: string) => boolean;
  readonly methods: readonly string[];
  /** Answers. What it throws is answered as a refusal, or by destroying the connection where the answer had begun. */
  readonly answer: (exchange: Exchange) => void | Promise<void>;
}
