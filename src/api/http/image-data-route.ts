import type { Image } from '../../gen/lehr/v1/image.ts';
import { ApiError } from '../api-error.ts';
import type { Authenticate } from '../authenticate.ts';
import type { Call } from '../call.ts';
import type { Incidents } from '../errors/incidents.ts';
import { callerLeft, refusalOf } from '../errors/refusal-of.ts';
import { contentDisposition } from './content-disposition.ts';
import type { Exchange, Route } from './exchange.ts';
import type { OpenedImage, OpenImage } from './open-image.ts';
import { parseRange } from './parse-range.ts';
import { sendPieces } from './send-pieces.ts';
import { sendRefusal } from './send.ts';

/** What downloads need. */
export interface ImageDataOptions {
  readonly openImage: OpenImage;
  readonly authenticate: Authenticate;
  readonly incidents: Incidents;
  readonly stopping: AbortSignal;
  /** A download whose reader takes nothing for so long is cut off. */
  readonly idleTimeoutMs: number;
}

const path = /^\/images\/([^/]+)\/data$/;

/** `GET` and `HEAD /images/{id}/data`: the bytes of an image, whole or one range of them (RFC 9110 §13, §14). */
export function imageDataRoute(options: ImageDataOptions): Route {
  return {
    takes: (candidate) => path.test(candidate),
    methods: ['GET', 'HEAD'],
    async answer(exchange) {
      const call = await callOf(exchange, options);
      let opened: OpenedImage;
      try {
        opened = await options.openImage(imageId(exchange.path), call);
      } catch (thrown) {
        throw refusalOf(thrown, call.signal, options.incidents);
      }
      try {
        await answerImage(exchange, opened, options);
      } finally {
        await opened.close();
      }
    },
  };
}

async function callOf({ request, response }: Exchange, { authenticate, stopping }: ImageDataOptions): Promise<Call> {
  const owner = await authenticate((name) => request.headers[name]?.toString());
  const left = new AbortController();
  response.once('close', () => left.abort(callerLeft()));
  return { owner, signal: AbortSignal.any([left.signal, stopping]) };
}

function imageId(candidate: string): string {
  const [, encoded = ''] = path.exec(candidate) ?? [];
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new ApiError('NOT_FOUND', 'IMAGE_NOT_FOUND', 'There is no image of that id.', { cause });
  }
}

async function answerImage(exchange: Exchange, opened: OpenedImage, options: ImageDataOptions): Promise<void> {
  const { request, response } = exchange;
  const sizeBytes = Number(opened.image.sizeBytes);
  const headers = imageHeaders(opened.image);
  const isUnchanged = hasMatch(request.headers['if-none-match'], headers.etag);
  const range = parseRange(rangeHeader(exchange, headers.etag), sizeBytes);
  if (!isUnchanged && range.kind !== 'unsatisfiable') {
    const isPart = range.kind === 'part';
    const { start, end } = isPart ? range : { start: 0, end: sizeBytes };
    response.writeHead(isPart ? 206 : 200, {
      ...headers,
      'content-type': 'application/octet-stream',
      'content-disposition': contentDisposition(opened.image),
      'content-length': end - start,
      ...(isPart ? { 'content-range': `bytes ${start}-${end - 1}/${sizeBytes}` } : {}),
    });
    if (request.method === 'GET' && start < end) await sendBytes(exchange, opened, start, end, options);
    else response.end();
  } else if (isUnchanged) {
    response.writeHead(304, headers).end();
  } else {
    const refusal = new ApiError('OUT_OF_RANGE', 'RANGE_NOT_SATISFIABLE', `The image has ${sizeBytes} bytes; the range begins behind them.`);
    sendRefusal(exchange, refusal, 416, { 'content-range': `bytes */${sizeBytes}` });
  }
}

/** A range counts for GET only, and not where the client holds bytes of another state (If-Range; no dates are given). */
function rangeHeader({ request }: Exchange, etag: string): string | undefined {
  const { range, 'if-range': ifRange } = request.headers;
  return request.method === 'GET' && (ifRange === undefined || ifRange === etag) ? range : undefined;
}

/** The bytes of an id never change, so the digest is its entity tag; caches ask each time, since an image may be deleted. */
function imageHeaders({ digest }: Image): { readonly etag: string; readonly [name: string]: string } {
  const [, hex] = /^sha256:([\da-f]{64})$/.exec(digest) ?? [];
  const base64 = hex === undefined ? undefined : Buffer.from(hex, 'hex').toString('base64');
  return {
    etag: `"${digest}"`,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    // RFC 9530, and RFC 3230 for older clients; both of the whole image, whatever the range.
    ...(base64 === undefined ? {} : { 'repr-digest': `sha-256=:${base64}:`, digest: `sha-256=${base64}` }),
  };
}

const hasMatch = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined && ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, '')).some((tag) => tag === '*' || tag === etag);

async function sendBytes(
  { response }: Exchange, opened: OpenedImage, start: number, end: number, { incidents, idleTimeoutMs, stopping }: ImageDataOptions,
): Promise<void> {
  response.setTimeout(idleTimeoutMs, () => response.destroy());
  const cutOff = (): void => void response.destroy();
  stopping.addEventListener('abort', cutOff, { once: true });
  try {
    if (await sendPieces(response, opened, start, end)) response.end();
  } catch (err) {
    // A short body under the promised length is how the client sees that it did not get all.
    response.destroy();
    incidents.report(new Error(`The download of image ${opened.image.id} broke off on this side.`, { cause: err }));
  } finally {
    stopping.removeEventListener('abort', cutOff);
  }
}
