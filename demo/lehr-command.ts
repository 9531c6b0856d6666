import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { say, showCommand } from './narrate.ts';
import { DemoError } from './run-to-the-end.ts';
import type { Scratch } from './scratch.ts';

const launcher = path.resolve(import.meta.dirname, '../bin/lehr.js');

/** The real command line, run against one service. */
export interface LehrCommand {
  /** Shows the command and runs it in front of the person; throws unless it ends with `exitCode`. */
  (exitCode: number, ...words: readonly string[]): Promise<void>;
  /** The same for a command that ends with 0 or, where this machine lacks something, with 1; says whether it was 0. */
  readonly attempt: (...words: readonly string[]) => Promise<boolean>;
  /** The same in plain lines, as for a pipe; `onLine` is told each of them after it was shown. */
  readonly lines: (exitCode: number, onLine: (line: string) => void, ...words: readonly string[]) => Promise<void>;
  /** Runs a command unseen and gives the one object that it printed as JSON. */
  readonly json: <Value>(...words: readonly string[]) => Promise<Value>;
}

/** The command line whose server is at `grpcAddress`; `isNamed`: each command names it, since there is more than one. */
export function lehrIn(scratch: Scratch, grpcAddress: string, isNamed = false): LehrCommand {
  const naming = isNamed ? ['--server', grpcAddress] : [];
  const start = (words: readonly string[], stdout: 'inherit' | 'pipe') =>
    scratch.start([process.execPath, launcher, ...words, ...naming], ['ignore', stdout, 'inherit'], {
      LEHR_SERVER: grpcAddress,
    });
  const expectEnd = async (words: readonly string[], ended: Promise<unknown[]>, ...expected: readonly number[]): Promise<number> => {
    const [exitCode] = await ended;
    scratch.signal.throwIfAborted();
    const found = expected.find((code) => code === exitCode);
    if (found === undefined) throw new DemoError(`\`lehr ${words.join(' ')}\` ended with ${String(exitCode)} instead of ${expected.join(' or ')}; see above.`);
    return found;
  };
  const show = async (expected: number, ...words: readonly string[]): Promise<void> => {
    showCommand(['lehr', ...words, ...naming]);
    await expectEnd(words, once(start(words, 'inherit'), 'close'), expected);
  };
  const attempt = async (...words: readonly string[]): Promise<boolean> => {
    showCommand(['lehr', ...words, ...naming]);
    return (await expectEnd(words, once(start(words, 'inherit'), 'close'), 0, 1)) === 0;
  };
  const lines = async (expected: number, onLine: (line: string) => void, ...words: readonly string[]): Promise<void> => {
    showCommand(['lehr', ...words, ...naming]);
    const child = start(words, 'pipe');
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        say(line);
        onLine(line);
      });
    }
    await expectEnd(words, once(child, 'close'), expected);
  };
  const json = async <Value>(...words: readonly string[]): Promise<Value> => {
    const child = start([...words, '--json'], 'pipe');
    let text = '';
    child.stdout?.on('data', (piece: Buffer) => { text += piece.toString(); });
    await expectEnd(words, once(child, 'close'), 0);
    return JSON.parse(text) as Value;
  };
  return Object.assign(show, { attempt, lines, json });
}
