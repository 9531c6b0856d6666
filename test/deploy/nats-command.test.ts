import path from 'node:path';

import test from 'ava';

import { askNats } from '../../scripts/servers/ask-nats.ts';
import { freePorts } from '../../scripts/servers/free-ports.ts';
import { createServerProcess } from '../../scripts/servers/server-process.ts';
import { makeFolder } from '../acceptance/harness/lehr-server.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { readCompose } from './read-compose.ts';

if (hasTool('nats-server')) {
  test('nats-server takes the command of deploy/compose.yaml: with JetStream, and healthy where the file asks', async (t) => {
    const { command = [] } = readCompose().services['nats'] ?? {};
    const folder = await makeFolder(t);
    const [port = 0, httpPort = 0] = await freePorts(2);
    const here: Readonly<Record<string, string>> = { 4222: String(port), 8222: String(httpPort), '/data': path.join(folder, 'data') };
    const [program = '', ...args] = command.map((word) => here[word] ?? word);
    const isHealthy = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${httpPort}/healthz`)).ok;
    const server = createServerProcess({
      name: 'nats-server', command: [program, ...args], logFile: path.join(folder, 'log'), isReady: isHealthy,
    });
    t.teardown(() => server.kill());
    await server.start();
    t.true((await askNats(port)).jetstream);
  });
}
