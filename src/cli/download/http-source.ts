import { request } from 'undici';

import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ByteSource } from './byte-source.ts';

/** Bytes must keep coming: a connection that is silent for so long is given up and taken up again. */
const idleTimeoutMs = 60_000;

/** Reads an image through `GET /images/{id}/data` of the HTTP door at `server` (`http://host:port`), which is faster than gRPC. */
export function httpSource(server: string, id: string): ByteSource {
  const url = `${server}/images/${encodeURIComponent(id)}/data`;
  return {
    async* read(offset, signal) {
      try {
        const { statusCode, body } = await request(url, {
          headers: { 'accept-encoding': 'identity', ...(offset > 0n ? { range: `bytes=${offset}-` } : {}) },
          headersTimeout: idleTimeoutMs,
          bodyTimeout: idleTimeoutMs,
          signal,
        });
        if (statusCode !== (offset > 0n ? 206 : 200)) {
          await body.dump();
          throw refusedBy(server, statusCode);
        }
        yield* body as AsyncIterable<Uint8Array>;
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof CommandError ? error : connectionFailed(server, error);
      }
    },
  };
}

function refusedBy(server: string, statusCode: number): CommandError {
  const message = `${server} answered with status ${statusCode}`;
  if (statusCode === 404) return new CommandError(exitCodes.notFound, 'NOT_FOUND', 'HTTP_404', message);
  if (statusCode === 429 || statusCode >= 500) return new CommandError(exitCodes.unavailable, 'UNAVAILABLE', `HTTP_${statusCode}`, message);
  return new CommandError(exitCodes.refused, 'FAILED_PRECONDITION', `HTTP_${statusCode}`, message, {
    hints: ['is that the HTTP address of a Lehr server? without --http-server the image comes over gRPC'],
  });
}

function connectionFailed(server: string, cause: unknown): CommandError {
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return new CommandError(exitCodes.unavailable, 'UNAVAILABLE', 'SERVER_UNREACHABLE', `cannot read from ${server}${code}`, {
    hints: ['is --http-server the HTTP address of the server? without it the image comes over gRPC'],
    cause,
  });
}
