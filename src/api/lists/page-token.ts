import { hash } from 'node:crypto';

/**
 * The last row of a page: the value that the list is ordered by, and its id. As text, because a token knows no types.
 */
export interface PageKey {
  readonly value: string;
  readonly id: string;
}

/**
 * What a token is good for: the method, the owner and everything of the request that must stay the same from page to page,
 * in a fixed order.
 */
export type PageBinding = readonly string[];

/** The first byte of every token; another one when tokens come to mean something else. */
const tokenVersion = 1;

/** So many bytes of SHA-256 over binding and key: enough to notice damage and mistakes; what a row may be seen is decided elsewhere. */
const checkBytes = 12;

/** No token of ours is longer: the longest name has 255 characters. */
const tokenLengthLimit = 8_192;

/** An opaque token for the page after the row `key`. The same on every node. */
export function encodePageToken(binding: PageBinding, key: PageKey): string {
  const body = Buffer.from(JSON.stringify([key.value, key.id]));
  return Buffer.concat([Buffer.from([tokenVersion]), checkOf(binding, body), body]).toString('base64url');
}

/** The key in a token; undefined where it is damaged, of another version, or of a list with another binding. */
export function decodePageToken(binding: PageBinding, token: string): PageKey | undefined {
  if (token.length > tokenLengthLimit) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  // Node passes over what is not base64url; one token has one spelling.
  if (bytes.toString('base64url') !== token || bytes[0] !== tokenVersion) return undefined;
  const body = bytes.subarray(1 + checkBytes);
  if (!checkOf(binding, body).equals(bytes.subarray(1, 1 + checkBytes))) return undefined;
  return parseKey(body.toString());
}

function checkOf(binding: PageBinding, body: Buffer): Buffer {
  // JSON keeps the parts apart, so that no two bindings read the same.
  const text = Buffer.from(JSON.stringify([tokenVersion, ...binding]));
  return hash('sha256', Buffer.concat([text, body]), 'buffer').subarray(0, checkBytes);
}

/** The check is no signature: whoever makes a token by hand gets here, too. */
function parseKey(body: string): PageKey | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (!Array.isArray(parsed) || parsed.length !== 2) return undefined;
    const [value, id] = parsed as readonly unknown[];
    return typeof value === 'string' && typeof id === 'string' ? { value, id } : undefined;
  } catch {
    return undefined;
  }
}
