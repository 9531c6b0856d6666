import { Code, ConnectError } from '@connectrpc/connect';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import { encodeEnvelope, readAllBytes } from '@connectrpc/connect/protocol';
import { endStreamFlag, endStreamFromJson, endStreamToJson, errorFromJsonBytes } from '@connectrpc/connect/protocol-connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { setTrailerStatus, trailerFlag, trailerParse, trailerSerialize } from '@connectrpc/connect/protocol-grpc-web';

import { ApiError } from '../api-error.ts';
import type { Incidents } from '../errors/incidents.ts';
import { maxRequestBytes } from '../wire/limits.ts';
import type { AskedCall } from './asked-call.ts';
import { connectError } from './connect-error.ts';
import { explainFailure } from './explain-failure.ts';
import { jsonAnswer } from './json-answer.ts';

const unsupportedMediaType = 415;
const methodNotAllowed = 405;

/** Flags and length before each message of a stream. */
const envelopeHeaderBytes = 5;

const takenTypes = 'application/json, application/proto or application/grpc-web; a method that streams: application/connect+json, '
  + 'application/connect+proto or application/grpc-web; gRPC has a port of its own';

/** The refusal behind an error that has no ErrorInfo; `undefined` for an error that has one. */
type Explain = (error: ConnectError) => ApiError | undefined;

/**
 * Gives every error in an answer of Connect's handlers its ErrorInfo, whichever protocol the answer is in. Errors of the
 * implementation have theirs; those that the handlers raise themselves (bad JSON, a body too large, unknown compression)
 * have not, and can be reached only in the bytes. Relies on each envelope being one chunk and uncompressed.
 */
export async function explainAnswer(answer: UniversalServerResponse, asked: AskedCall,
  incidents: Incidents): Promise<UniversalServerResponse> {
  const { body, status, header } = answer;
  if (status === unsupportedMediaType) {
    return jsonAnswer(new ApiError('INVALID_ARGUMENT', 'UNSUPPORTED_MEDIA_TYPE', `A method that answers once takes ${takenTypes}.`), status);
  }
  if (status === methodNotAllowed) {
    return jsonAnswer(new ApiError('UNIMPLEMENTED', 'HTTP_METHOD_NOT_ALLOWED', 'This method is called by POST.'), status, { allow: 'POST' });
  }
  if (body === undefined) return answer;

  const explain: Explain = (error) => error.details.some(isErrorInfo)
    ? undefined
    : explainFailure({ code: error.code, message: error.rawMessage }, asked, incidents);
  if (status !== 200) {
    const bytes = await readAllBytes(body, maxRequestBytes);
    const refusal = explain(errorFromJsonBytes(bytes, undefined, new ConnectError('The answer was no error.', Code.Internal)));
    return refusal === undefined ? { ...answer, body: once(bytes) } : jsonAnswer(refusal);
  }
  const type = header?.get('content-type') ?? '';
  if (type.startsWith('application/connect+')) return { ...answer, body: mapEnvelope(body, endStreamFlag, explainedEnd(explain)) };
  if (type.startsWith('application/grpc-web')) return { ...answer, body: mapEnvelope(body, trailerFlag, explainedTrailerText(explain)) };
  return answer;
}

const isErrorInfo = (detail: ConnectError['details'][number]): boolean => 'type' in detail && detail.type === 'google.rpc.ErrorInfo';

const explainedEnd = (explain: Explain) => (content: Uint8Array): Uint8Array => {
  const { error, metadata } = endStreamFromJson(content);
  const refusal = error && explain(error);
  return refusal === undefined ? content : Buffer.from(JSON.stringify(endStreamToJson(metadata, connectError(refusal), undefined)));
};

const explainedTrailerText = (explain: Explain) => (content: Uint8Array): Uint8Array => {
  const trailers = trailerParse(content);
  const error = findTrailerError(trailers);
  const refusal = error && explain(error);
  return refusal === undefined ? content : trailerSerialize(setTrailerStatus(trailers, connectError(refusal)));
};

/** Replaces the content of envelopes that have `flag`; messages pass as they are. */
async function* mapEnvelope(body: AsyncIterable<Uint8Array>, flag: number,
  replace: (content: Uint8Array) => Uint8Array): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    if (((chunk[0] ?? 0) & flag) === 0) yield chunk;
    else yield encodeEnvelope(flag, replace(chunk.subarray(envelopeHeaderBytes)));
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
