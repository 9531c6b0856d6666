import type { Writable } from 'node:stream';
import { once } from 'node:events';

import { escapeJson } from './escape-text.ts';
import { styleFor } from './style.ts';
import type { Style } from './style.ts';
import { toJson } from './to-json.ts';

/** A stream to print to; a terminal has a width. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Where a command prints: results on `stdout`, everything else on `stderr`. */
export interface Output {
  readonly isJson: boolean;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: NodeJS.ProcessEnv;
  /** For what goes to stdout. */
  readonly style: Style;
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean;
  /** Prints lines of a result; the texts are escaped by whoever made them. Waits while the reader is slow. */
  readonly lines: (...texts: readonly string[]) => Promise<void>;
  /** Prints a message of the API as one line of JSON. Waits while the reader is slow. */
  readonly json: (message: object) => Promise<void>;
  /** Tells a person something beside the result, on stderr; nothing with `--json`. */
  readonly note: (text: string) => void;
}

/** Builds an {@link Output} on two streams. */
export function createOutput(stdout: OutputStream, stderr: OutputStream, env: NodeJS.ProcessEnv, isJson: boolean): Output {
  const isTerminal = stdout.isTTY === true;
  const write = async (text: string): Promise<void> => {
    if (!stdout.write(text)) await once(stdout, 'drain');
  };
  return {
    isJson,
    stdout,
    stderr,
    env,
    style: styleFor(isTerminal, env),
    isTerminal,
    lines: (...texts) => (texts.length === 0 ? Promise.resolve() : write(`${texts.join('\n')}\n`)),
    json: (message) => write(`${escapeJson(JSON.stringify(toJson(message)))}\n`),
    note: (text) => {
      if (!isJson) stderr.write(`${text}\n`);
    },
  };
}
