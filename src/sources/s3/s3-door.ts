import type { S3Credential } from '../../credentials/credential.ts';
import { askAdmitted } from '../objects/ask-admitted.ts';
import type { Endpoints } from '../objects/endpoints.ts';
import type { AdmittedRequest, ObjectDoor, ObjectRequest } from '../objects/object-door.ts';
import { encodePath, encodeText } from '../objects/object-uri.ts';
import { signRequest } from './sign-request.ts';

/** The way into an S3-compatible object store: every request is signed, nothing expires. */
export function s3Door(credential: S3Credential, endpoints: Endpoints, now: () => Date): ObjectDoor {
  const entry = {
    async admit({ method, address, query = {}, headers = {} }: ObjectRequest): Promise<AdmittedRequest> {
      const url = urlOf(credential, address.container, address.name);
      url.search = Object.entries(query).map(([name, value]) => `${encodeText(name)}=${encodeText(value)}`).join('&');
      return { url, headers: signRequest({ method, url, headers }, credential, now()) };
    },
    renew: () => false,
  };
  return { ...entry, ask: (request, signal) => askAdmitted(entry, endpoints, request, signal) };
}

/** What is wrong with a bucket for a credential that puts it into the host's name; undefined: nothing. */
export function bucketFault({ endpoint, pathStyle }: S3Credential, bucket: string): string | undefined {
  if (pathStyle) return undefined;
  const url = new URL(endpoint);
  url.hostname = `${bucket}.${endpoint.hostname}`;
  if (url.hostname === `${bucket}.${endpoint.hostname}`) return undefined;
  return `the bucket ${bucket.slice(0, 64)} cannot be part of a host's name; the credential needs path-style: true for it`;
}

function urlOf({ endpoint, pathStyle }: S3Credential, bucket: string, key: string): URL {
  const url = new URL(endpoint);
  if (pathStyle) {
    url.pathname = `/${encodePath(bucket)}/${encodePath(key)}`.replace(/\/$/, key === '' ? '' : '/');
  } else {
    url.hostname = `${bucket}.${endpoint.hostname}`;
    url.pathname = `/${encodePath(key)}`;
  }
  return url;
}
