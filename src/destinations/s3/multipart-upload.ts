import { createHash } from 'node:crypto';
import { EndpointError, StatusError } from '../../sources/objects/endpoint-error.ts';
import type { EndpointAnswer } from '../../sources/objects/endpoint-exchange.ts';
import { mayPass } from '../objects/object-failures.ts';
import { etagOf } from '../objects/object-target.ts';
import type { ObjectTarget } from '../objects/object-target.ts';
import { OutcomeUnknownError } from '../objects/object-way.ts';
import type { UploadOutcome } from '../objects/object-way.ts';
import type { PartBody } from '../objects/part-body.ts';
import type { Part, SentPart } from '../objects/part-plan.ts';
import { elementTexts } from './s3-xml.ts';

/** A multipart upload of S3 that was begun: its parts are kept, and seen by nobody, until it is completed or aborted. */
export class MultipartUpload {
  readonly id: string;
  readonly #target: ObjectTarget;

  /** One that was begun before. */
  constructor(target: ObjectTarget, id: string) {
    this.#target = target;
    this.id = id;
  }

  static async begin(target: ObjectTarget, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<MultipartUpload> {
    const answer = await target.ask({ method: 'POST', query: { uploads: '' }, headers }, [200], signal);
    const [id = ''] = elementTexts(answer.body.toString(), 'UploadId');
    if (id === '') throw new StatusError(new URL(target.location), { ...answer, status: 502 });
    return new MultipartUpload(target, id);
  }

  /** Sends one part; answers with its ETag. */
  async put({ number, sizeBytes }: Part, body: PartBody, signal: AbortSignal): Promise<string> {
    const query = { partNumber: String(number), uploadId: this.id };
    return etagOf(await this.#target.ask({ method: 'PUT', query, headers: { 'content-length': String(sizeBytes) }, body }, [200], signal));
  }

  /**
   * Makes the object of its parts if none is there. A server that does not know the condition would overwrite one, so it is looked
   * for first; between that look and the answer somebody may be faster on such a server.
   */
  async complete(parts: readonly SentPart[], isConditional: boolean, signal: AbortSignal): Promise<UploadOutcome> {
    if (await this.#target.head(signal) !== undefined) return { kind: 'exists' };
    const entries = parts.map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag></Part>`).join('');
    const body = Buffer.from(`<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${entries}</CompleteMultipartUpload>`);
    const headers = { 'content-type': 'application/xml', ...(isConditional ? { 'if-none-match': '*' } : {}) };
    const answer = await this.#askToComplete(body, headers, signal);
    if (answer.status === 412) return { kind: 'exists' };
    const etag = elementTexts(answer.body.toString(), 'ETag')[0]?.replaceAll('"', '').toLowerCase() ?? '';
    return { kind: 'stored', etag, isProven: isProof(parts, etag) };
  }

  /** Ends it without an object. */
  async abort(signal: AbortSignal): Promise<void> {
    await this.#target.ask({ method: 'DELETE', query: { uploadId: this.id } }, [200, 204, 404], signal);
  }

  async #askToComplete(body: Buffer, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<EndpointAnswer> {
    try {
      const answer = await this.#target.ask({ method: 'POST', query: { uploadId: this.id }, headers, body }, [200, 412], signal);
      // An error that comes late stands in the body of an answer of 200.
      const [code] = elementTexts(answer.body.toString(), 'Code');
      if (answer.status !== 200 || code === undefined) return answer;
      if (code === 'PreconditionFailed') return { ...answer, status: 412 };
      throw new StatusError(new URL(this.#target.location), { ...answer, status: code === 'InternalError' || code === 'SlowDown' ? 503 : 400 });
    } catch (error) {
      // NoSuchUpload: an earlier request may have completed it.
      const isGone = error instanceof StatusError && error.status === 404;
      throw isGone || mayPass(error) || error instanceof EndpointError ? new OutcomeUnknownError(error) : error;
    }
  }
}

/** Whether a store told an MD5 of its own for each part, and for the whole as S3 makes it: of the MD5s, and the number of parts. */
function isProof(parts: readonly SentPart[], told: string): boolean {
  const md5s = Buffer.concat(parts.map(({ md5 }) => Buffer.from(md5, 'hex')));
  const whole = `${createHash('md5').update(md5s).digest('hex')}-${parts.length}`;
  return told === whole && parts.every(({ md5, etag }) => md5 === etag);
}
