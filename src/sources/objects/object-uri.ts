/** Where an object lies: a bucket of S3 or a container of Swift, and the object's name in it. */
export interface ObjectAddress {
  readonly kind: 's3' | 'swift';
  /** The bucket or container. */
  readonly container: string;
  /** The key or object name; it may have slashes. */
  readonly name: string;
}

/** An object's name has at most so many bytes, in S3 and in Swift alike. */
const nameLimitBytes = 1_024;

/** A container's name has at most so many bytes (Swift's max_container_name_length). */
const containerLimitBytes = 256;

/** What an s3:// or swift:// URI names, or what is wrong with it, for the person who wrote it. */
export type CheckedObjectUri = { readonly ok: true; readonly address: ObjectAddress } | { readonly ok: false; readonly message: string };

/** Reads `s3://bucket/key` and `swift://container/object`, in which what is no plain character is percent-encoded. */
export function checkObjectUri(uri: string): CheckedObjectUri {
  const refuse = (message: string): CheckedObjectUri => ({ ok: false, message });
  const [, scheme = '', authority, path = ''] = /^(s3|swift):\/\/([^/?#]*)\/?([^?#]*)/i.exec(uri) ?? [];
  const kind = scheme.toLowerCase() === 's3' ? 's3' : 'swift';
  const form = kind === 's3' ? 's3://bucket/key' : 'swift://container/object';
  if (authority === undefined) return refuse(`Write the URI as ${form}.`);
  if (/[?#]/.test(uri)) return refuse(`${form} has no query and no fragment; write ? as %3F and # as %23.`);
  if (authority.includes('@')) return refuse('The URI holds a user name or password; name a credential instead.');
  const container = decoded(authority);
  const name = decoded(path);
  if (container === undefined || name === undefined) return refuse('The URI has a percent sign that begins no encoded UTF-8, or an encoded control character.');
  if (container === '' || name === '') return refuse(`Write the URI as ${form}.`);
  if (Buffer.byteLength(name) > nameLimitBytes) return refuse(`The object's name has more than ${nameLimitBytes} bytes.`);
  // Whoever stands between may take such a path for another.
  if (name.split('/').some((part) => part === '.' || part === '..')) return refuse('The object\'s name has "." or ".." between slashes.');
  const fault = kind === 's3' ? bucketFault(container) : containerFault(container);
  return fault === undefined ? { ok: true, address: { kind, container, name } } : refuse(fault);
}

/** Names of buckets are parts of host names too (Amazon S3, "Bucket naming rules"); old ones may have capitals and underscores. */
function bucketFault(bucket: string): string | undefined {
  if (/^[a-z0-9][a-z0-9._-]{1,253}[a-z0-9]$/i.test(bucket) && !bucket.includes('..')) return undefined;
  return 'The name of the bucket must have 3 to 255 letters, digits, "-", "_" and ".", and begin and end with a letter or digit.';
}

function containerFault(container: string): string | undefined {
  if (Buffer.byteLength(container) > containerLimitBytes) return `The container's name has more than ${containerLimitBytes} bytes.`;
  return container.includes('/') || container === '.' || container === '..' ? 'The container\'s name must have no slash, and not be "." or "..".' : undefined;
}

function decoded(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text);
    return /[\u0000-\u001f\u007f]/.test(plain) ? undefined : plain;
  } catch {
    return undefined;
  }
}

/** The URI of an object, for people and programs. */
export function objectUri({ kind, container, name }: ObjectAddress): string {
  return `${kind}://${encodePath(container)}/${encodePath(name)}`;
}

/** A name as a path has it: everything but unreserved characters and slashes percent-encoded, as S3 signs it (RFC 3986, 2.3). */
export function encodePath(name: string): string {
  return name.split('/').map(encodeText).join('/');
}

/** A text of which only the unreserved characters stand as they are. */
export function encodeText(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
