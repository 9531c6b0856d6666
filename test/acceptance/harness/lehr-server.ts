import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ExecutionContext } from 'ava';

import type { SettingName } from '../../../src/settings.ts';
import { connectApi } from './api.ts';
import type { Api } from './api.ts';
import { startProcess } from './lehr-process.ts';
import type { Exit, LehrProcess, ProcessOptions } from './lehr-process.ts';

/** Settings as flags; ports and workers are set to what suits tests. */
export type Settings = Readonly<Partial<Record<SettingName, string>>>;

/** A server that is ready. */
export interface LehrServer {
  readonly process: LehrProcess;
  /** Its data folder. */
  readonly folder: string;
  /** `host:port` of its gRPC API. */
  readonly grpcAddress: string;
  /** `http://host:port` of everything else. */
  readonly httpUrl: string;
  readonly api: Api;
  /** Sends a signal and waits for the end. */
  readonly kill: (signal: NodeJS.Signals) => Promise<Exit>;
}

const readyLine = /lehr is ready: gRPC on (\S+), HTTP on (http:\/\/\S+)\n/;

/** A folder of its own below the temporary one, removed after the test. */
export async function makeFolder(t: Pick<ExecutionContext, 'teardown'>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lehr-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The arguments of `lehr serve` on a data folder. */
export function serveArgs(folder: string, settings: Settings = {}): string[] {
  const all: Settings = { 'data-dir': folder, 'http-port': '0', 'grpc-port': '0', workers: '1', ...settings };
  return ['serve', ...Object.entries(all).map(([name, value]) => `--${name}=${value}`)];
}

/** Starts `lehr serve` on a data folder and waits until it is ready. It is killed after the test if it runs then. */
export async function startServer(
  t: Pick<ExecutionContext, 'teardown'>, folder: string, settings: Settings = {}, options: ProcessOptions = {},
): Promise<LehrServer> {
  const process = startProcess(serveArgs(folder, settings), options);
  const kill = async (signal: NodeJS.Signals): Promise<Exit> => {
    process.child.kill(signal);
    return process.ended;
  };
  t.teardown(() => kill('SIGKILL'));
  const [, grpcAddress = '', httpUrl = ''] = await process.printed(readyLine);
  const { api, close } = connectApi(grpcAddress);
  void process.ended.then(close);
  return { process, folder, grpcAddress, httpUrl, api, kill };
}

/** The lines of a server's log, parsed; throws where a line is no JSON. */
export function logLines(server: LehrServer): Record<string, unknown>[] {
  return server.process.stderr().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}
