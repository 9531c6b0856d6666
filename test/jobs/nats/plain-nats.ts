import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askNats } from '../../../scripts/servers/ask-nats.ts';
import { freePorts } from '../../../scripts/servers/free-ports.ts';
import { createServerProcess } from '../../../scripts/servers/server-process.ts';
import type { TestScope } from './nats-bench.ts';

/** Starts a nats-server with a configuration of the test's own, which is given the server's folder; returns its address. */
export async function startPlainNats(scope: TestScope, configuration: (folder: string) => string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lehr-plain-nats-'));
  const [port = 0] = await freePorts(1);
  const file = join(folder, 'server.conf');
  await writeFile(file, `host: "127.0.0.1"\nport: ${port}\n${configuration(folder)}\n`);
  const server = createServerProcess({
    name: 'nats-server', command: ['nats-server', '-c', file], logFile: join(folder, 'log'),
    isReady: async () => {
      await askNats(port);
      return true;
    },
  });
  scope.teardown(async () => {
    await server.kill();
    await rm(folder, { recursive: true });
  });
  await server.start();
  return `127.0.0.1:${port}`;
}
