import { once } from 'node:events';
import path from 'node:path';

import { DemoError } from './run-to-the-end.ts';
import { signalGroup } from './scratch.ts';
import type { Scratch } from './scratch.ts';

/** Starting takes a second or two; much more than that, even on a busy machine, means that it never will. */
const startTimeoutMs = 60_000;

/** Of what the service logs so much is shown when it does not start. */
const shownCharacters = 2_000;

const launcher = path.resolve(import.meta.dirname, '../bin/lehr.js');

/** A service that is ready. */
export interface Service {
  readonly grpcAddress: string;
  readonly httpUrl: string;
  readonly pid: number;
  /** SIGKILL; resolves when it is gone. */
  readonly kill: () => Promise<void>;
}

/** Starts `lehr serve` on ports that are free, with its data in the scratch folder unless `settings` say otherwise. */
export async function startService(scratch: Scratch, settings: Readonly<Record<string, string>> = {}): Promise<Service> {
  const all = { 'data-dir': path.join(scratch.folder, 'data'), 'http-port': '0', 'grpc-port': '0', 'log-level': 'warn', ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  const child = scratch.start([process.execPath, launcher, 'serve', ...flags], ['ignore', 'pipe', 'pipe']);
  let output = '';
  return new Promise((resolve, reject) => {
    const give = (why: string): void => reject(new DemoError(`the service ${why}.\n${output.slice(-shownCharacters)}Does \`npm start\` work?`));
    const timer = setTimeout(() => give(`was not ready within ${startTimeoutMs / 1_000} s`), startTimeoutMs);
    const listen = (text: Buffer): void => {
      output += text.toString();
      const [, grpcAddress, httpUrl] = /^lehr is ready: gRPC on (\S+), HTTP on (\S+)$/m.exec(output) ?? [];
      if (grpcAddress === undefined || httpUrl === undefined) return;
      clearTimeout(timer);
      const kill = async (): Promise<void> => {
        const ended = once(child, 'exit');
        signalGroup(child, 'SIGKILL');
        await ended;
      };
      resolve({ grpcAddress, httpUrl, pid: child.pid ?? 0, kill });
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', (text: Buffer) => { output += text.toString(); });
    child.once('exit', (code) => give(`ended with code ${code ?? 'none'} instead of being ready`));
    scratch.signal.addEventListener('abort', () => give('was interrupted'), { once: true });
  });
}
