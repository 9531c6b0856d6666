import { createHash, createHmac } from 'node:crypto';
import type { S3Credential } from '../../credentials/credential.ts';
import { encodeText } from '../objects/object-uri.ts';

/** What is signed. */
export interface UnsignedRequest {
  readonly method: string;
  /** With its path encoded as it is sent. */
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The body's digest where it is not signed: it is compared by the MD5 that the server tells, or by TLS. */
const unsignedPayload = 'UNSIGNED-PAYLOAD';

/** Headers that proxies may alter are not signed; a signed header that is altered makes the request void. */
const isSigned = (name: string): boolean => name === 'host' || name.startsWith('x-amz-');

/**
 * The headers of a request with an AWS signature version 4 among them (Amazon S3 API Reference, "Authenticating Requests: Using
 * the Authorization Header"). Nothing of the secret key can be had from them, yet they allow the same request for a quarter of an hour.
 */
export function signRequest(
  { method, url, headers }: UnsignedRequest,
  { region, accessKeyId, secretAccessKey }: Pick<S3Credential, 'region' | 'accessKeyId' | 'secretAccessKey'>,
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const payload = headers['x-amz-content-sha256'] ?? unsignedPayload;
  const all: Record<string, string> = { ...headers, 'x-amz-date': time, 'x-amz-content-sha256': payload };
  const signed = Object.entries({ ...all, host: url.host }).filter(([name]) => isSigned(name)).sort(byName);
  const names = signed.map(([name]) => name).join(';');
  const canonical = [
    method,
    url.pathname,
    canonicalQuery(url),
    ...signed.map(([name, value]) => `${name}:${value.trim().replace(/ +/g, ' ')}`),
    '',
    names,
    payload,
  ].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${secretAccessKey.reveal()}`);
  const signature = hmac(key, toSign).toString('hex');
  return { ...all, authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}` };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function canonicalQuery({ searchParams }: URL): string {
  return [...searchParams].map(([name, value]): [string, string] => [encodeText(name), encodeText(value)]).sort(byName).map((pair) => pair.join('=')).join('&');
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
