import { readFileSync } from 'node:fs';
import type { Config } from '../settings.ts';

/** The TLS files of one system, read. */
export function tlsFilesOf(config: Config, system: 'kafka' | 'nats'): { readonly ca?: string; readonly cert?: string; readonly key?: string } {
  const files = { ca: `${system}-tls-ca`, cert: `${system}-tls-cert`, key: `${system}-tls-key` } as const;
  return Object.fromEntries(Object.entries(files).filter(([, name]) => config[name] !== '').map(([part, name]) => [part, readNamed(config, name)]));
}

type FileSetting =
  | 'kafka-tls-ca' | 'kafka-tls-cert' | 'kafka-tls-key' | 'kafka-password-file'
  | 'nats-tls-ca' | 'nats-tls-cert' | 'nats-tls-key' | 'nats-password-file' | 'nats-credentials';

/** The first line of a file that holds a secret. */
export function readSecret(config: Config, name: FileSetting): string {
  const [secret = ''] = readNamed(config, name).split(/\r?\n/, 1);
  if (secret === '') throw new Error(`${name}: the first line of ${config[name]} is empty; it must hold the password.`);
  return secret;
}

/** The content of the file that a setting names. */
export function readNamed(config: Config, name: FileSetting): string {
  try {
    return readFileSync(config[name], 'utf8');
  } catch (cause) {
    throw new Error(`${name}: ${config[name]} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
