import type { UniversalServerResponse } from '@connectrpc/connect/protocol';

import type { ApiError } from '../api-error.ts';
import { errorJson } from '../errors/error-json.ts';
import { statusCodes } from '../errors/status-codes.ts';

/** The refusal as Connect answers a call that failed: error JSON under an HTTP status, by default that of its code. */
export function jsonAnswer(refusal: ApiError, status: number = statusCodes[refusal.code].http,
  headers: Readonly<Record<string, string>> = {}): UniversalServerResponse {
  const bytes = Buffer.from(JSON.stringify(errorJson(refusal)));
  return {
    status,
    header: new Headers({ ...headers, 'content-type': 'application/json', 'content-length': String(bytes.length) }),
    body: (async function* () {
      yield bytes;
    })(),
  };
}
