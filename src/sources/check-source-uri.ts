import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isForbiddenHost } from './forbidden-host.ts';

/** A source URI has at most so many characters. */
export const sourceUriLimit = 4_096;

/** What a source URI shows by itself. `path` is absolute and normal, and lies below a file root by name; links are not followed yet. */
export type CheckedSourceUri =
  | { readonly ok: true; readonly kind: 'http'; readonly url: URL }
  | { readonly ok: true; readonly kind: 'file'; readonly url: URL; readonly path: string }
  | { readonly ok: false; readonly message: string };

/**
 * Checks what a source URI shows without asking the network or the disk: syntax, scheme, user information, file roots, and
 * hosts that are never contacted. The WHATWG parser writes odd spellings of IPv4 addresses (octal, hexadecimal, one number)
 * the usual way, so they are caught too. `message` is for the person who sent the URI and repeats no secret of it.
 */
export function checkSourceUri(uri: string, { fileRoots }: { readonly fileRoots: readonly string[] }): CheckedSourceUri {
  if (uri === '') return refuse('A source URI is needed: http://, https:// or file://.');
  if (uri.length > sourceUriLimit) return refuse(`The source URI has more than ${sourceUriLimit} characters.`);
  if (!URL.canParse(uri)) return refuse('The source URI is no valid absolute URL.');
  const url = new URL(uri);
  switch (url.protocol) {
    case 'http:':
    case 'https:':
      return checkHttp(url);
    case 'file:':
      return checkFile(url, fileRoots);
    default:
      return refuse(`The scheme "${url.protocol.slice(0, -1)}" is not supported; use http, https or file.`);
  }
}

function checkHttp(url: URL): CheckedSourceUri {
  if (url.username !== '' || url.password !== '') {
    return refuse('The source URI holds a user name or password; name a credential instead.');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isForbiddenHost(host)) {
    return refuse(`The host ${host} is never contacted: it is a link-local address or a cloud's metadata service.`);
  }
  return { ok: true, kind: 'http', url };
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
