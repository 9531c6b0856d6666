import { join } from 'node:path';
import { startReady, type Ready } from './processes.ts';

/** A Lehr server in a process of its own. */
export interface LehrServer extends Ready {
  readonly grpc: string;
  readonly http: string;
}

/** What users run: `npm run bench` builds it first. */
const entry = join(import.meta.dirname, '../dist/command/main.js');

/** Starts `lehr serve` on free ports in `folder`. */
export async function startLehr(folder: string, settings: Readonly<Record<string, string>> = {}): Promise<LehrServer> {
  const args = Object.entries({ 'data-dir': folder, 'http-port': '0', 'grpc-port': '0', 'log-level': 'warn', ...settings });
  const ready = await startReady(process.execPath, ['--disable-warning=TimeoutNegativeWarning', entry, 'serve', ...args.flatMap(([name, value]) => [`--${name}`, value])]);
  const [, grpc = '', http = ''] = /gRPC on (\S+), HTTP on (\S+)/.exec(ready.line) ?? [];
  return { ...ready, grpc, http };
}
