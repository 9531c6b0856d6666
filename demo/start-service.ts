import path from 'node:path';

import { DemoError } from './run-to-the-end.ts';
import type { Scratch } from './scratch.ts';

/** Starting takes a second; much more than that means that it never will. */
const startTimeoutMs = 20_000;

/** Of what the service logs so much is shown when it does not start. */
const shownCharacters = 2_000;

const launcher = path.resolve(import.meta.dirname, '../bin/lehr.js');

/** A service that is ready. */
export interface Service {
  readonly grpcAddress: string;
  readonly httpUrl: string;
}

/** Starts `lehr serve` with its data in the scratch folder, on ports that are free. */
export async function startService(scratch: Scratch): Promise<Service> {
  const settings = { 'data-dir': path.join(scratch.folder, 'data'), 'http-port': '0', 'grpc-port': '0', 'log-level': 'warn' };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
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
      resolve({ grpcAddress, httpUrl });
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', (text: Buffer) => { output += text.toString(); });
    child.once('exit', (code) => give(`ended with code ${code ?? 'none'} instead of being ready`));
    scratch.signal.addEventListener('abort', () => give('was interrupted'), { once: true });
  });
}
