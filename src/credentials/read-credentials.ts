import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { noCredentials } from './credential.ts';
import type { Credential, Credentials } from './credential.ts';
import { warnOfReaders } from './field-reader.ts';
import type { Findings } from './field-reader.ts';
import { parseCredential } from './parse-credential.ts';

/** A file has at most so many credentials. */
export const credentialLimit = 1_000;

/** The credentials of a file, and what its operator should hear although it works. */
export interface ReadCredentials {
  readonly credentials: Credentials;
  readonly warnings: readonly string[];
}

/**
 * Reads the file that the setting `credentials` names; empty: there are none. Throws an error that names each credential and field
 * with what is wrong, and never a value.
 */
export function readCredentials(path: string): ReadCredentials {
  if (path === '') return { credentials: noCredentials, warnings: [] };
  const findings: Findings = { problems: [], warnings: [] };
  const credentials = new Map<string, Credential>();
  for (const [name, fields] of Object.entries(readFields(path, findings))) {
    const credential = parseEntry(name, fields, findings);
    if (credential !== undefined) credentials.set(name, credential);
  }
  if (credentials.size > credentialLimit) findings.problems.push(`there are more than ${credentialLimit} credentials`);
  if (findings.problems.length > 0) throw new Error(findings.problems.map((problem) => `credentials: ${path}: ${problem}`).join('\n'));
  return { credentials, warnings: findings.warnings };
}

function parseEntry(name: string, fields: unknown, findings: Findings): Credential | undefined {
  const { problems } = findings;
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(name)) {
    // What is no name may be a secret that stands in the wrong column.
    problems.push('the name of a credential must have 1 to 63 letters, digits, "_", "-" and ".", and begin with a letter or digit');
    return undefined;
  }
  if (isRecord(fields)) return parseCredential(name, fields, findings);
  problems.push(`${name}: must have fields: kind and what belongs to it`);
  return undefined;
}

/** The parser's own messages quote lines of the file, hence only its codes are shown. */
function readFields(path: string, findings: Findings): Readonly<Record<string, unknown>> {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines, prettyErrors: false });
  for (const error of [...document.errors, ...document.warnings]) {
    findings.problems.push(`line ${lines.linePos(error.pos[0]).line} is no valid YAML (${error.code})`);
  }
  warnOfReaders(path, findings);
  if (findings.problems.length > 0) return {};
  const content: unknown = document.toJS();
  if (content === null) return {};
  if (isRecord(content)) return content;
  findings.problems.push('must have credentials by name: name: { kind: s3, … }');
  return {};
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new Error(`credentials: ${path} cannot be read: ${code}`, { cause });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
