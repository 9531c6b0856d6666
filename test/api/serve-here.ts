import type { ExecutionContext } from 'ava';
import { pino } from 'pino';

import { loadConfig } from '../../src/config.ts';
import { startServer } from '../../src/main.ts';
import { connectApi } from '../acceptance/harness/api.ts';
import type { LehrServer, Settings } from '../acceptance/harness/lehr-server.ts';
import { serveArgs } from '../acceptance/harness/lehr-server.ts';

/** A server of this very process, with its real doors. */
export interface ServerHere extends Pick<LehrServer, 'folder' | 'grpcAddress' | 'httpUrl' | 'api'> {
  /** Stops it as SIGTERM does. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts a server on a data folder in this process, for a fifth of what a process takes: where a call is tested, and neither signals, nor
 * exit codes, nor the log. It is stopped after the test. One that cannot go on fails the test.
 */
export async function serveHere(t: Pick<ExecutionContext, 'teardown'>, folder: string, settings: Settings = {}): Promise<ServerHere> {
  const [, ...flags] = serveArgs(folder, settings);
  const server = await startServer(loadConfig(flags, {}), pino({ level: 'silent' }), (cause) => { throw cause; });
  const grpcAddress = `127.0.0.1:${server.grpcPort}`;
  const { api, close } = connectApi(grpcAddress);
  const stop = async (): Promise<void> => {
    close();
    await server.stop();
  };
  t.teardown(stop);
  await server.ready;
  return { folder, grpcAddress, httpUrl: `http://127.0.0.1:${server.httpPort}`, api, stop };
}
