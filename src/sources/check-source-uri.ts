import { isIP } from 'node:net';
import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Credentials } from '../credentials/credential.ts';
import { isForbiddenHost } from './forbidden-host.ts';
import { checkObjectUri } from './objects/object-uri.ts';
import type { ObjectAddress } from './objects/object-uri.ts';
import { judgeDestination } from './source-allow.ts';
import type { Destination, SourceAllow } from './source-allow.ts';
import { authorityFault, characterFault, hostAsWritten } from './uri-spelling.ts';

/** A source URI has at most so many characters. */
export const sourceUriLimit = 4_096;

/** What a source URI shows by itself. `path` is absolute and normal, and lies below a file root by name; links are not followed yet. */
export type CheckedSourceUri =
  | { readonly ok: true; readonly kind: 'http'; readonly url: URL }
  | { readonly ok: true; readonly kind: 'file'; readonly url: URL; readonly path: string }
  | { readonly ok: true; readonly kind: 'object'; readonly address: ObjectAddress }
  | { readonly ok: false; readonly message: string };

/** What a source URI is judged by. */
export interface SourceRules {
  /** Folders that file:// may read from; none: file:// is refused. */
  readonly fileRoots: readonly string[];
  /** Private addresses that http and https may lead to. */
  readonly sourceAllow: SourceAllow;
  /** What tasks may name; absent: nothing. */
  readonly credentials?: Credentials;
}

/**
 * Checks what a source URI shows without asking the network or the disk: syntax, scheme, spelling and user information, file
 * roots, and hosts that are never contacted or literal addresses that are not allowed. `message` is for the person who sent
 * the URI and repeats no secret of it.
 */
export function checkSourceUri(uri: string, { fileRoots, sourceAllow }: SourceRules): CheckedSourceUri {
  if (uri === '') return refuse('A source URI is needed: http://, https://, s3://, swift:// or file://.');
  if (uri.length > sourceUriLimit) return refuse(`The source URI has more than ${sourceUriLimit} characters.`);
  const odd = characterFault(uri) ?? (/^https?:/i.test(uri) ? authorityFault(uri) : undefined);
  if (odd !== undefined) return refuse(odd);
  if (/^(?:s3|swift):/i.test(uri)) return checkObject(uri);
  if (!URL.canParse(uri)) return refuse('The source URI is no valid absolute URL.');
  const url = new URL(uri);
  switch (url.protocol) {
    case 'http:':
    case 'https:':
      return checkHttp(uri, url, sourceAllow);
    case 'file:':
      return checkFile(url, fileRoots);
    default:
      return refuse(`The scheme "${url.protocol.slice(0, -1)}" is not supported; use http, https, s3, swift or file.`);
  }
}

function checkObject(uri: string): CheckedSourceUri {
  const checked = checkObjectUri(uri);
  return checked.ok ? { ok: true, kind: 'object', address: checked.address } : checked;
}

function checkHttp(uri: string, url: URL, allow: SourceAllow): CheckedSourceUri {
  const { host, port } = destinationOf(url);
  // What was judged by its text is what is connected to: a parser that reads anything else has not been thought of.
  if (!host.includes(':') && host !== hostAsWritten(uri)) return refuse('The host of the source URI is not what it seems; write it plainly.');
  const isLiteral = isIP(host) !== 0;
  const judged = isLiteral ? judgeDestination({ host, port, address: host }, allow) : isForbiddenHost(host) ? 'never' : 'allowed';
  switch (judged) {
    case 'never':
      return refuse(`The host ${host} is never contacted: it is a link-local address or a cloud's metadata service.`);
    case 'private':
      return refuse(`The address ${host} is private, and the setting source-allow does not open port ${port} of it. Ask the operator to open it.`);
    case 'allowed':
      return { ok: true, kind: 'http', url };
    default:
      return judged satisfies never;
  }
}

/** Host, without brackets, and port that an http or https URL leads to. */
export function destinationOf(url: Pick<URL, 'protocol' | 'hostname' | 'port'>): Omit<Destination, 'address'> {
  const { protocol, hostname, port } = url;
  const usual = protocol === 'https:' ? 443 : 80;
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? usual : Number(port) };
}

function checkFile(url: URL, fileRoots: readonly string[]): CheckedSourceUri {
  if (url.host !== '') return refuse('A file URI names no host: file:///path.');
  if (url.search !== '' || url.hash !== '') return refuse('A file URI has no query and no fragment; write ? as %3F and # as %23.');
  if (fileRoots.length === 0) return refuse('file:// sources are switched off: the setting file-roots is empty.');
  const path = pathOf(url);
  if (path === undefined) return refuse('The path of the file URI has an encoded slash or zero byte, or is not valid UTF-8.');
  if (!isBelowRoots(path, fileRoots)) return refuse('The file is not below one of the folders of the setting file-roots.');
  return { ok: true, kind: 'file', url, path };
}

function pathOf(url: URL): string | undefined {
  try {
    const path = fileURLToPath(url);
    return path.includes('\0') ? undefined : resolve(path);
  } catch {
    return undefined;
  }
}

/** Whether an absolute, normal path lies below one of the folders (and is none of them). */
export function isBelowRoots(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => {
    const folder = resolve(root);
    return path.startsWith(folder.endsWith(sep) ? folder : folder + sep) && path !== folder;
  });
}

function refuse(message: string): CheckedSourceUri {
  return { ok: false, message };
}
