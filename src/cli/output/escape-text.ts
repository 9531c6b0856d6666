/**
 * Control characters (C0, DEL, C1), the separators U+2028 and U+2029 and the marks that reorder text (U+061C, U+200E,
 * U+200F, U+202A–U+202E, U+2066–U+2069). Printed as they are, an image's name could clear the screen, retitle the
 * terminal or forge a line (CWE-150).
 */
const DANGEROUS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const shortNames: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\x1b': '\\e' };

/** Makes a text from elsewhere safe to print on a terminal, on one line: what could control it becomes `\n`, `\e` or `\u{9b}`. */
export function escapeText(text: string): string {
  return text.toWellFormed().replace(DANGEROUS, (character) => shortNames[character] ?? `\\u{${hexOf(character)}}`);
}

/** Escapes what `JSON.stringify` leaves in but a terminal may obey, as `\u009b`; the value stays the same. */
export function escapeJson(json: string): string {
  return json.replace(DANGEROUS, (character) => `\\u${hexOf(character).padStart(4, '0')}`);
}

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16);
}
