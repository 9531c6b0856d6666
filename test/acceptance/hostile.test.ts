import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { checkTable } from '../../src/formats/check-table.ts';
import type { CheckName } from '../../src/formats/check-table.ts';
import { headBytes, inspectWrappedHead } from '../../src/formats/inspect-head.ts';
import type { Task } from '../../src/gen/lehr/v1/task.ts';
import { badOvas } from '../archives/bad-ovas.ts';
import { badCompressed } from '../codecs/bad-compressed.ts';
import type { BadImage } from '../formats/build/bad-image.ts';
import { badImages } from '../formats/build/bad-images.ts';
import { buildQcow2 } from '../formats/build/qcow2.ts';
import { u32be, u64be } from '../formats/build/change.ts';
import { awaitEmptyStaging, storeFiles } from './harness/data-folder.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { scrape } from './harness/scrape.ts';
import { gives, startSource } from './harness/source-server.ts';
import type { SourceServer } from './harness/source-server.ts';
import { awaitTask, awaitTasks, createImport } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

const mebibyte = 2 ** 20;

/** One of so many is read from a file as well: all but its fetch is the same. */
const fileStep = 4;

const shared = new Teardowns();
let server: LehrServer;
let source: SourceServer;
let root: string;

test.before(async () => {
  source = await startSource(shared);
  root = await makeFolder(shared);
  server = await startServer(shared, await makeFolder(shared), { 'file-roots': root, 'max-image-bytes': '64MiB', 'require-recognised-raw': 'on' });
});

test.after.always(() => shared.run());

/** How many programs a server has started so far, of all names. */
async function programsStarted({ httpUrl }: LehrServer): Promise<number> {
  return [...await scrape(httpUrl)].filter(([name]) => name.startsWith('lehr_programs_started_total')).reduce((sum, [, count]) => sum + count, 0);
}

interface Hostile extends BadImage {
  /** The name of the file, or the path. */
  readonly file: string;
}

/** What an import finds otherwise than those who judge the bytes alone: it unwraps, and takes a tar without a descriptor for no image. */
const elsewhere: Readonly<Record<string, CheckName>> = {
  'a compressed image': 'compressed.corrupt',
  'an archive whose first member is no descriptor': 'content.not_a_disk',
};

/** Everything bad that the tests know, once. A tar without members is two sectors of zeros, which may be a disk. */
const hostile: readonly Hostile[] = [...badImages, ...badCompressed, ...badOvas]
  .filter(({ name }) => name !== 'no members')
  .map(({ check, ...image }, index) => ({ ...image, check: elsewhere[image.name] ?? check, file: `hostile-${index}` }))
  .map((image) => ({ ...image, reason: checkTable[image.check].reason }));

function publish(scheme: 'http' | 'file', file: string, content: Buffer): string {
  if (scheme === 'http') return source.serve(`/${file}`, gives(content));
  const folder = path.join(root, 'hostile');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, file), content);
  return `file://${folder}/${file}`;
}

function verdictOf({ state, failure }: Task): Readonly<Record<string, unknown>> {
  return { state, reason: failure?.reason, check: failure?.metadata['check'], retryable: failure?.retryable };
}

/** What a refusal must say, and this one does not. */
function missingOf({ failure }: Task): readonly string[] {
  const form = { check: /^[a-z0-9_]+(\.[a-z0-9_]+)?$/, offset: /^\d+$/, value: /^[ -~]*$/ };
  return Object.entries(form).filter(([name, wanted]) => !wanted.test(failure?.metadata[name] ?? '\n')).map(([name]) => name);
}

/** What the end of a file shows is not waited for where its head suffices. */
function expectedOf({ name, check, reason, build, declared = 'DISK_FORMAT_UNSPECIFIED' }: Hostile): Readonly<Record<string, unknown>> {
  const image = build();
  const early = image.length > headBytes ? inspectWrappedHead(image.subarray(0, headBytes), declared) : undefined;
  const failure = early !== undefined && 'refusal' in early ? early.refusal : undefined;
  return {
    name, state: 'STATE_FAILED', retryable: false,
    reason: failure?.reason ?? `REASON_${reason}`, check: failure?.metadata['check'] ?? check,
  };
}

async function importAll(t: ExecutionContext, scheme: 'http' | 'file', images: readonly Hostile[]): Promise<void> {
  const before = await programsStarted(server);
  t.true(before > 0, 'the looks at the start are counted');
  const storeFormat = scheme === 'http' ? 'DISK_FORMAT_QCOW2' : 'DISK_FORMAT_RAW';
  const created = await Promise.all(images.map(({ file, build, declared = 'DISK_FORMAT_UNSPECIFIED' }) =>
    createImport(server.api, publish(scheme, file, build()), {}, { sourceFormat: declared, storeFormat })));
  const ended = await awaitTasks(server.api, created.map(({ id }) => id));
  const found = ended.map((task, index) => ({ name: images[index]!.name, ...verdictOf(task) }));
  t.deepEqual(found.filter((one, index) => !isDeepStrictEqual(one, expectedOf(images[index]!))), []);
  t.deepEqual(ended.flatMap((task, index) => missingOf(task).map((what) => `${images[index]!.name}: no ${what}`)), []);
  t.deepEqual((await server.api.listImages({})).images, []);
  await awaitEmptyStaging(server.folder);
  t.deepEqual(storeFiles(server.folder).images, []);
  t.is(await programsStarted(server), before, 'no program was started for any of them');
}

test.serial('no hostile image becomes an image, leaves anything behind or starts a program', async (t) => {
  t.timeout(300_000);
  await importAll(t, 'http', hostile);
});

test.serial('nor does one that is read from a file', async (t) => {
  t.timeout(300_000);
  await importAll(t, 'file', hostile.filter((_, index) => index % fileStep === 0));
});

test.serial('a bad header cuts off a body without end after the first megabyte', async (t) => {
  const head = Buffer.concat([buildQcow2(3, u64be(8, 512n), u32be(16, 11)), Buffer.alloc(mebibyte)]);
  let sentBytes = 0;
  const left = Promise.withResolvers<void>();
  const url = source.serve('/endless', (response) => {
    response.writeHead(200);
    response.once('close', left.resolve);
    const send = (): void => {
      for (let more = true; more && !response.destroyed;) {
        const piece = sentBytes < head.length ? head.subarray(sentBytes, sentBytes + 65_536) : Buffer.alloc(65_536);
        sentBytes += piece.length;
        more = response.write(piece);
      }
    };
    response.on('drain', send);
    send();
  });
  const { id } = await createImport(server.api, url, {}, { storeFormat: 'DISK_FORMAT_RAW' });
  const { state, failure } = await awaitTask(server.api, id);
  t.like({ state, ...failure }, { state: 'STATE_FAILED', reason: 'REASON_IMAGE_UNSAFE', stage: 'fetch', metadata: { check: 'qcow2.backing_file', offset: '8', value: '512' } });
  await left.promise;
  // Loopback's buffers hold the rest of what was sent.
  t.true(sentBytes < 24 * mebibyte, `${sentBytes} bytes were sent`);
});
