import { readFileSync, statSync } from 'node:fs';
import { Secret } from './secret.ts';

/** What the reading of a file of credentials found wrong, and what is dangerous although it works. */
export interface Findings {
  readonly problems: string[];
  readonly warnings: string[];
}

/**
 * Takes the fields of one credential, says which are missing, malformed or unknown, and never repeats a value: it may be a secret, or
 * one that stands in the wrong place.
 */
export class FieldReader {
  readonly #name: string;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #findings: Findings;
  readonly #taken = new Set<string>();

  constructor(name: string, fields: Readonly<Record<string, unknown>>, findings: Findings) {
    this.#name = name;
    this.#fields = fields;
    this.#findings = findings;
  }

  /** Notes what is wrong with a field. */
  report(field: string, problem: string): void {
    this.#findings.problems.push(`${this.#name}.${field}: ${problem}`);
  }

  has(field: string): boolean {
    return Object.hasOwn(this.#fields, field);
  }

  /** A text; empty, and reported where there is no `fallback`, where the field is missing. */
  text(field: string, fallback?: string): string {
    this.#taken.add(field);
    if (!this.has(field)) {
      if (fallback === undefined) this.report(field, 'is needed');
      return fallback ?? '';
    }
    const value = this.#fields[field];
    if (typeof value === 'string' && value !== '' && !/[\u0000-\u001f\u007f]/.test(value)) return value;
    this.report(field, 'must be text of one line, and not empty. Put it in quotes where it looks like a number');
    return '';
  }

  /** One of a few words. */
  choice<const Word extends string>(field: string, words: readonly Word[], fallback?: Word): Word | undefined {
    const text = this.text(field, fallback);
    const word = words.find((known) => known === text);
    if (word === undefined && text !== '') this.report(field, `must be ${words.join(' or ')}`);
    return word;
  }

  flag(field: string, fallback: boolean): boolean {
    this.#taken.add(field);
    const value = this.has(field) ? this.#fields[field] : fallback;
    if (typeof value !== 'boolean') this.report(field, 'must be true or false');
    return value === true;
  }

  /** Texts, at least one; undefined where the field is missing. */
  list(field: string): readonly string[] | undefined {
    this.#taken.add(field);
    if (!this.has(field)) return undefined;
    const value = this.#fields[field];
    const isList = Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' && item !== '');
    if (!isList) this.report(field, 'must be a list of texts, and not empty');
    return isList ? value as string[] : [];
  }

  /** A URL of http or https with nothing secret in it. */
  url(field: string): URL {
    const nowhere = new URL('http://invalid.');
    const text = this.text(field);
    if (text === '') return nowhere;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url !== undefined && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === '') return url;
    this.report(field, 'must be an http or https URL without user, password, query and fragment');
    return nowhere;
  }

  /** A secret: in the field itself, or on the first line of the file that `<field>-file` names. */
  secret(field: string): Secret {
    const fileField = `${field}-file`;
    if (!this.has(fileField)) {
      if (this.has(field)) return new Secret(this.text(field));
      this.#taken.add(field);
      this.report(field, `is needed, here or in a file that ${fileField} names`);
      return new Secret('');
    }
    if (this.has(field)) this.report(field, `is given twice: here and as ${fileField}. Keep one`);
    this.#taken.add(field);
    return new Secret(this.#secretFile(fileField, this.text(fileField)));
  }

  #secretFile(field: string, path: string): string {
    if (path === '') return '';
    try {
      const [line = ''] = readFileSync(path, 'utf8').split(/\r?\n/, 1);
      if (line === '') this.report(field, `the first line of ${path} is empty; it must hold the secret`);
      warnOfReaders(path, this.#findings);
      return line;
    } catch (cause) {
      this.report(field, `${path} cannot be read: ${cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'}`);
      return '';
    }
  }

  /** Reports the fields that nothing has asked for. */
  refuseOthers(): void {
    for (const field of Object.keys(this.#fields)) {
      // What is no name may be a secret that stands in the wrong column.
      if (!this.#taken.has(field)) this.report(/^[a-z-]{1,40}$/.test(field) ? field : 'a field', 'is no field of a credential of this kind');
    }
  }
}

/** Warns of a file with secrets that everybody on this machine may read. */
export function warnOfReaders(path: string, { warnings }: Findings): void {
  if ((statSync(path).mode & 0o004) === 0) return;
  warnings.push(`${path} holds secrets and may be read by everybody on this machine. Close it: chmod o-rwx ${path}`);
}
