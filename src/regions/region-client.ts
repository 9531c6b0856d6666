import { Agent, request } from 'undici';
import { FailureError } from '../domain/failures.ts';
import { retryAfterOf } from '../sources/http-failures.ts';
import type { ResponseHeaders } from '../sources/http-question.ts';
import { authorizationFor, regionNamed } from '../sources/region-access.ts';
import type { RegionAccesses } from '../sources/region-access.ts';
import type { DescribedImage } from './described-image.ts';
import { NoDescriptionError, readDescription } from './read-description.ts';
import { busy, forbidden, imageGone, senseless, unreachable } from './region-failures.ts';

/** An answer may have at most so many bytes: an image at every limit of its properties has about half of it. */
const answerLimitBytes = 4 * 1024 * 1024;

/** A description that takes longer is given up; `idle-timeout` where that is shorter. */
const answerTimeoutMs = 30_000;

/** Connections to a region at once; others wait for one. */
const connectionLimit = 8;

/** Asks other Lehrs. */
export interface RegionClient {
  /** What a region says of an image. Rejects with FailureError, or the signal's reason. */
  describe(region: string, imageId: string, owner: string, signal: AbortSignal): Promise<DescribedImage>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Statuses after which another attempt may succeed, beside 5xx. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

/** A client of the regions of the configuration, by their public API: Connect with JSON. */
export function openRegionClient(regions: RegionAccesses, idleTimeoutMs: number): RegionClient {
  const timeoutMs = Math.min(answerTimeoutMs, idleTimeoutMs);
  const agent = new Agent({
    connections: connectionLimit, maxResponseSize: answerLimitBytes, headersTimeout: timeoutMs, bodyTimeout: timeoutMs,
    connect: { timeout: timeoutMs }, allowH2: false,
  });
  return {
    async describe(region, imageId, owner, signal) {
      const access = regionNamed(regions, region);
      const authorization = authorizationFor(access, owner);
      const late = AbortSignal.timeout(timeoutMs);
      try {
        const response = await request(`${access.origin}/lehr.v1.ImageService/GetImage`, {
          method: 'POST',
          headers: { 'user-agent': 'lehr', 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
          body: JSON.stringify({ id: imageId }),
          dispatcher: agent,
          signal: AbortSignal.any([signal, late]),
        });
        const text = await response.body.text();
        return judge(response, text, region, imageId);
      } catch (error) {
        signal.throwIfAborted();
        throw explain(error, region);
      }
    },
    close: () => agent.destroy(),
  };
}

interface Answer {
  readonly statusCode: number;
  readonly headers: ResponseHeaders;
}

function judge({ statusCode: status, headers }: Answer, text: string, region: string, imageId: string): DescribedImage {
  if (status === 401 || status === 403) throw forbidden(region, status);
  if (status >= 500 || passingStatuses.has(status)) throw busy(region, status, retryAfterOf(headers));
  const answer = parseJson(text);
  // Only a Lehr says so in these words; another server has no such path.
  if (status === 404 && isNotFound(answer)) throw imageGone(region, imageId);
  if (status !== 200) throw senseless(region, `answered ${status} to a question that every Lehr answers`, { http_status: String(status) });
  try {
    return readDescription(answer, imageId);
  } catch (error) {
    if (error instanceof NoDescriptionError) throw senseless(region, `answered with no description of the image: ${error.message.replace(/\.$/, '')}`);
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isNotFound(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'code' in answer && answer.code === 'not_found';
}

/** What went wrong before there was a whole answer. */
function explain(error: unknown, region: string): unknown {
  if (error instanceof FailureError || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return senseless(region, `answered with more than ${answerLimitBytes} bytes`);
  if (error.name === 'HTTPParserError') return senseless(region, 'sent something that is no valid HTTP response');
  return unreachable(region, `did not answer (${code})`, { system_error: code }, error);
}
