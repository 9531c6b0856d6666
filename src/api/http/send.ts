import type { OutgoingHttpHeaders } from 'node:http';

import type { ApiError } from '../api-error.ts';
import { errorJson, unpadded } from '../errors/error-json.ts';
import { messageLimit, shorten } from '../errors/shorten.ts';
import { statusBytes } from '../errors/status-of.ts';
import { statusCodes } from '../errors/status-codes.ts';
import type { Exchange } from './exchange.ts';

/** A whole answer at once. */
export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

/** Sends an answer with its length; without its body where the request was HEAD. */
export function send({ request, response }: Exchange, { status, headers, body }: Answer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

/** Sends `value` as JSON. */
export function sendJson(exchange: Exchange, status: number, value: unknown, headers: OutgoingHttpHeaders = {}): void {
  send(exchange, { status, headers: { ...headers, 'content-type': 'application/json' }, body: `${JSON.stringify(value)}\n` });
}

/**
 * Sends a refusal: Connect's error JSON under `status`, by default that of the refusal's code. A client of gRPC-Web gets the
 * status in headers under 200, which is where it looks (gRPC over HTTP/2, "Trailers-Only").
 */
export function sendRefusal(exchange: Exchange, refusal: ApiError, status?: number, headers: OutgoingHttpHeaders = {}): void {
  const type = exchange.request.headers['content-type'];
  if (type?.startsWith('application/grpc-web') !== true) {
    sendJson(exchange, status ?? statusCodes[refusal.code].http, errorJson(refusal), headers);
    return;
  }
  send(exchange, {
    status: 200,
    headers: {
      ...headers,
      'content-type': type,
      'grpc-status': statusCodes[refusal.code].grpc,
      'grpc-message': encodeURIComponent(shorten(refusal.message, messageLimit)),
      'grpc-status-details-bin': unpadded(statusBytes(refusal)),
    },
    body: '',
  });
}
