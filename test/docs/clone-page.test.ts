import { spawnSync } from 'node:child_process';

import test from 'ava';

import { readPage } from './page.ts';
import { Reader } from './reader.ts';
import { shapeOf } from './shape-of.ts';

const page = readPage('docs/how-to/clone.md');
const missing = page.needs.filter((program) => spawnSync('sh', ['-c', `command -v "${program}"`], { stdio: 'ignore' }).status !== 0);
if (missing.length > 0) process.stderr.write(`${missing.join(' and ')} is missing; without it the commands of ${page.name} are not run\n`);

if (missing.length === 0) {
  test('the two regions of the guide clone as it says', async (t) => {
    const readers = [await Reader.sitDown(), await Reader.sitDown()] as const;
    const [here, there] = readers;
    t.teardown(() => Promise.all(readers.map((reader) => reader.leave())));
    const [first, second] = page.steps.filter((step) => step.kind === 'serve').map(({ text }) => text);
    // That of the other region comes first, since the setting of this one names it.
    await there.serve(`cd ${here.folder}\n${second?.replace('--http-port 8081 --grpc-port 50052', '--http-port 0 --grpc-port 0')}`);
    const [grpc = '', http = ''] = (await there.run('echo 127.0.0.1:50051 127.0.0.1:8080')).trim().split(' ');
    await here.serve(`${first?.replace('127.0.0.1:8081', http)}`);
    const commands = page.steps.filter((step) => step.kind === 'run');
    t.is(commands.length, 2);
    for (const { text, output = '', line } of commands) {
      t.deepEqual(shapeOf(await here.run(text.replaceAll('127.0.0.1:50052', grpc))), shapeOf(output), `line ${line}`);
    }
    await Promise.all(readers.map((reader) => reader.stop()));
  });
}
