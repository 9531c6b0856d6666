/** A host name has at most so many characters (RFC 1035, 2.3.4). */
const nameLimit = 253;

/**
 * Whether a text is a host name: labels of letters, digits, `-` and, as in names of containers, `_`, with dots between and
 * none behind (RFC 1123, 2.1). A last label that is a number would be read as an IPv4 address (WHATWG URL, "ends in a number").
 */
export function isHostName(text: string): boolean {
  return text.length <= nameLimit && /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.|$))+$/i.test(text) && !text.endsWith('.') && !endsInNumber(text);
}

/** Whether the last label of a host is a number, decimal, octal or hexadecimal. */
export function endsInNumber(host: string): boolean {
  return /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i.test(host);
}
