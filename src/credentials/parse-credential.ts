import { isIP } from 'node:net';
import type { Credential, HttpCredential, SwiftCredential } from './credential.ts';
import { FieldReader } from './field-reader.ts';
import type { Findings } from './field-reader.ts';
import { Secret } from './secret.ts';

/** Reads one credential; what is wrong with it is reported in `findings`, and what is answered then is of no use. */
export function parseCredential(name: string, fields: Readonly<Record<string, unknown>>, findings: Findings): Credential | undefined {
  const reader = new FieldReader(name, fields, findings);
  const kind = reader.choice('kind', ['s3', 'swift', 'http', 'lehr']);
  const owners = reader.list('owners');
  const credential = kind === undefined ? undefined : { ...parseKind(kind, reader), name, owners };
  if (credential !== undefined) reader.refuseOthers();
  return credential;
}

type Unnamed<C> = C extends Credential ? Omit<C, 'name' | 'owners'> : never;

function parseKind(kind: Credential['kind'], reader: FieldReader): Unnamed<Credential> {
  switch (kind) {
    case 's3': {
      const endpoint = rootUrl('endpoint', reader);
      const pathStyle = reader.flag('path-style', true);
      if (!pathStyle && isIP(endpoint.hostname.replace(/^\[|\]$/g, '')) !== 0) {
        reader.report('path-style', 'must be true: a bucket cannot stand before an address; name the endpoint by its host to have it false');
      }
      return {
        kind,
        endpoint,
        region: reader.text('region', 'us-east-1'),
        accessKeyId: reader.text('access-key-id'),
        secretAccessKey: reader.secret('secret-access-key'),
        pathStyle,
      };
    }
    case 'swift': {
      const authUrl = reader.url('auth-url');
      return { kind, authUrl, username: reader.text('username'), password: reader.secret('password'), auth: parseAuth(authUrl, reader) };
    }
    case 'http':
      return { kind, hosts: parseHosts(reader), authorization: parseAuthorization(reader) };
    case 'lehr':
      return { kind, token: headerSecret('token', reader) };
    default:
      return kind satisfies never;
  }
}

function rootUrl(field: string, reader: FieldReader): URL {
  const url = reader.url(field);
  if (url.pathname !== '/') reader.report(field, 'must have no path: the bucket stands in the URI of a task');
  return url;
}

/** Without `auth`, what the address says: Keystone's ends with /v3, tempauth's is mostly /auth/v1.0. */
function parseAuth(authUrl: URL, reader: FieldReader): SwiftCredential['auth'] {
  const version = reader.has('auth') ? reader.choice('auth', ['v1', 'v3']) : versionOf(authUrl);
  if (version === 'v1') return { version };
  if (version === undefined && !reader.has('auth')) reader.report('auth', 'is needed, v1 (tempauth) or v3 (Keystone): auth-url does not show it');
  const userDomain = reader.text('user-domain', 'Default');
  return {
    version: 'v3',
    project: reader.text('project'),
    userDomain,
    projectDomain: reader.text('project-domain', userDomain),
    region: reader.has('region') ? reader.text('region') : '',
  };
}

function versionOf({ pathname }: URL): 'v1' | 'v3' | undefined {
  if (/\/v3\/?$/.test(pathname)) return 'v3';
  return /\/v1(?:\.0)?\/?$/.test(pathname) ? 'v1' : undefined;
}

function parseHosts(reader: FieldReader): HttpCredential['hosts'] {
  const hosts = reader.list('hosts');
  if (hosts === undefined) reader.report('hosts', 'is needed: the host:port that the credential is sent to, such as [mirror.example:443]');
  return (hosts ?? []).map((host) => {
    const [, scheme = '', name, port = scheme === '' ? '443' : '80'] = /^(http:\/\/)?([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i.exec(host) ?? [];
    if (name === undefined || Number(port) < 1 || Number(port) > 65_535) {
      reader.report('hosts', 'must be host or host:port (https, without a port 443), or http://host:port where the secret may go in the clear');
    }
    return `${scheme}${name ?? ''}:${Number(port)}`.toLowerCase();
  });
}

function parseAuthorization(reader: FieldReader): Secret {
  const isBearer = reader.has('bearer') || reader.has('bearer-file');
  if (isBearer) return new Secret(`Bearer ${headerSecret('bearer', reader).reveal()}`);
  if (!reader.has('username')) {
    reader.report('bearer', 'is needed, or username and password');
    return new Secret('');
  }
  const username = reader.text('username');
  if (username.includes(':')) reader.report('username', 'must have no colon (RFC 7617)');
  return new Secret(`Basic ${Buffer.from(`${username}:${reader.secret('password').reveal()}`).toString('base64')}`);
}

/** A token goes into a header as it is, so it may hold nothing that ends one. */
function headerSecret(field: string, reader: FieldReader): Secret {
  const secret = reader.secret(field);
  if (/[^\x21-\x7e]/.test(secret.reveal())) reader.report(field, 'must have printable ASCII characters only, and no blank');
  return secret;
}
