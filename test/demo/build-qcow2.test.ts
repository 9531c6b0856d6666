import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

import { buildQcow2 } from '../../demo/build-qcow2.ts';
import { inspect } from '../../src/formats/inspect.ts';
import { MemoryReader } from '../formats/build/memory-reader.ts';
import { hasTool } from '../tooling/has-tool.ts';

const run = promisify(execFile);
const diskBytes = 8 * 2 ** 20;
const data = Buffer.alloc(100_000, 'some data ');

test('a qcow2 of the demo passes inspection', (t) => {
  const verdict = inspect(new MemoryReader(buildQcow2(data, diskBytes)), 'DISK_FORMAT_QCOW2', { maxVirtualBytes: 2n ** 40n });
  t.like(verdict, { kind: 'accepted', format: 'DISK_FORMAT_QCOW2', virtualSizeBytes: BigInt(diskBytes), warnings: [] });
});

if (hasTool('qemu-img')) {
  test('qemu-img finds no fault with it and reads the same data from it', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'lehr-test-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const [qcow2, raw] = [path.join(folder, 'disk.qcow2'), path.join(folder, 'disk.raw')];
    await writeFile(qcow2, buildQcow2(data, diskBytes));
    await run('qemu-img', ['check', '-f', 'qcow2', qcow2]);
    await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', qcow2, raw]);
    t.true((await readFile(raw)).equals(Buffer.concat([data], diskBytes)));
  });
}
