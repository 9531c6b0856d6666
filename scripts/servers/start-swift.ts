import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { freePorts } from './free-ports.ts';
import { createServerProcess } from './server-process.ts';
import { swiftConfiguration } from './swift-configuration.ts';
import type { SwiftUser } from './swift-configuration.ts';

/** Users of two accounts, neither of whom sees what the other has. */
export const SWIFT_USERS = {
  anna: { account: 'glass', user: 'anna', key: 'annas-secret-key' },
  ben: { account: 'sand', user: 'ben', key: 'bens-secret-key' },
} as const satisfies Record<string, SwiftUser>;

export type SwiftServer = {
  /** Where the proxy answers: Swift's API below `/v1`, tempauth at `/auth/v1.0`, and S3's below `/`. */
  readonly origin: string;
  readonly port: number;
  readonly pid: number;
  /** SIGSTOP: the server keeps its connections and answers nothing. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Lets this process end although the server runs; it is killed then. */
  unref(): void;
  /** Kills it and removes what it stored. */
  stop(): Promise<void>;
};

/** Starts a real Swift with tempauth and s3api on loopback and resolves when it answers, after two seconds or so. */
export async function startSwift(): Promise<SwiftServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lehr-swift-'));
  const [port = 0, ...others] = await freePorts(4);
  await mkdir(path.join(folder, 'devices'));
  for (const [name, lines] of Object.entries(swiftConfiguration(folder, Object.values(SWIFT_USERS)))) {
    await writeFile(path.join(folder, name), `${lines.join('\n')}\n`, { mode: 0o600 });
  }
  const origin = `http://127.0.0.1:${port}`;
  const server = createServerProcess({
    name: 'swift',
    command: ['/usr/bin/python3', path.join(import.meta.dirname, 'swift-in-one.py'), folder, String(port), ...others.map(String)],
    logFile: path.join(folder, 'server.log'),
    discard: folder,
    isReady: async () => (await fetch(`${origin}/healthcheck`)).ok,
  });
  const stop = async (): Promise<void> => {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await server.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    origin,
    port,
    get pid() {
      return server.pid;
    },
    pause: () => server.pause(),
    resume: () => server.resume(),
    unref: () => server.unref(),
    stop,
  };
}
