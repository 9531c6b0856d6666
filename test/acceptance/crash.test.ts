import test from 'ava';
import type { ExecutionContext } from 'ava';

import { seededRandom } from '../domain/seeded-random.ts';
import { readDeadLog, storeFiles } from './harness/data-folder.ts';
import type { LoggedEvent } from './harness/data-folder.ts';
import { qcow2Disk, rawDisk } from './harness/disk-images.ts';
import type { DiskImage } from './harness/disk-images.ts';
import { eventsOf, story } from './harness/events.ts';
import { Gate } from './harness/gate.ts';
import { registeredFiles, servedImages } from './harness/inventory.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { Refused } from './harness/refused.ts';
import { gives, startSource } from './harness/source-server.ts';
import type { SourceServer } from './harness/source-server.ts';
import { awaitTasks, importFrom } from './harness/tasks.ts';

/** Servers that die in each test; the tests run side by side, and together meet every moment. */
const roundsPerSeed = 4;

/** Imports of each round that stop in the middle of their fetch, and such as run through. */
const heldImports = 2;
const quickImports = 8;

/** So many run at once; the others wait for their first attempt. */
const settings = { transfers: '4' };

/** When a server is killed: as soon as it has told of so many events of this kind, or while all held imports are half fetched. */
type Moment = { readonly event: string; readonly count: number } | 'held fetches';

const moments: readonly Moment[] = [
  { event: 'imageStored', count: 1 }, 'held fetches', { event: 'stageCompleted inspect', count: 2 }, { event: 'taskCreated', count: 5 },
  { event: 'imageStored', count: 4 }, { event: 'attemptStarted', count: 3 }, { event: 'imageRegistered', count: 2 }, { event: 'stageCompleted fetch', count: 3 },
];

interface Import {
  readonly requestId: string;
  readonly url: string;
  readonly image: DiskImage;
}

interface Round {
  readonly imports: readonly Import[];
  readonly gates: readonly Gate[];
}

function prepareRound(source: SourceServer, name: string, random: () => number): Round {
  const gates: Gate[] = [];
  const imports = Array.from({ length: heldImports + quickImports }, (_, index): Import => {
    const seed = Math.trunc(random() * 2 ** 31);
    const sizeBytes = 256 * 1024 + 1024 * Math.trunc(random() * 256);
    const image = random() < 0.5 ? rawDisk(sizeBytes, seed) : qcow2Disk(sizeBytes, seed);
    const requestId = `${name}-${index}`;
    if (index >= heldImports) return { requestId, image, url: source.serve(`/${requestId}`, gives(image.bytes)) };
    const gate = new Gate(image.bytes);
    gates.push(gate);
    return { requestId, image, url: source.serve(`/${requestId}`, gate.behaviour) };
  });
  return { imports, gates };
}

/** Asks for the imports and gives the ids of the tasks that were acknowledged; a server may die meanwhile. */
async function ask({ api }: LehrServer, imports: readonly Import[]): Promise<readonly string[]> {
  const answers = await Promise.allSettled(imports.map(({ requestId, url, image }) =>
    api.createTask({ ...importFrom(url, { expectedDigest: image.digest, sourceFormat: image.format }), requestId })));
  return answers.flatMap((answer) => {
    if (answer.status === 'fulfilled') return [answer.value.task!.id];
    if (answer.reason instanceof Refused && ['UNAVAILABLE', 'CANCELLED', 'INTERNAL'].includes(answer.reason.refusal.code)) return [];
    throw answer.reason;
  });
}

/** Resolves at the moment, seen as a caller can see it, or when the server has nothing more to do. */
async function comes(moment: Moment, { api }: LehrServer, { gates, imports }: Round, fromToken: string): Promise<void> {
  if (moment === 'held fetches') {
    await Promise.all(gates.map((gate) => gate.asked));
    return;
  }
  let seen = 0;
  let succeeded = 0;
  for await (const { event } of api.streamEvents({ fromToken, follow: true })) {
    const [what] = story([event!]);
    if (what === moment.event) seen += 1;
    if (what === 'taskSucceeded') succeeded += 1;
    if (seen === moment.count || succeeded === imports.length - gates.length) return;
  }
}

/** Where the tasks stood when their server died, by the last event of each. */
function standing(log: readonly LoggedEvent[]): ReadonlySet<string> {
  const last = new Map<string, string>();
  for (const { subject, what } of log) {
    const [kind, id = ''] = subject.split('/');
    last.set(id, kind === 'images' ? what : last.get(id) === 'imageRegistered' && what !== 'taskSucceeded' ? 'imageRegistered' : what);
  }
  return new Set(last.values());
}

async function endOfLog({ api }: LehrServer): Promise<string> {
  let last = '';
  for await (const { token } of api.streamEvents({})) last = token;
  return last;
}

async function surviveRounds(t: ExecutionContext, seed: number): Promise<ReadonlySet<string>> {
  const random = seededRandom(seed);
  const source = await startSource(t);
  const folder = await makeFolder(t);
  const expected = new Map<string, string>();
  const stoodAt = new Set<string>();
  let server = await startServer(t, folder, settings);
  for (let number = 0; number < roundsPerSeed; number += 1) {
    const round = prepareRound(source, `${seed}-${number}`, random);
    const moment = moments[(number + seed) % moments.length]!;
    const fromToken = await endOfLog(server);
    const come = comes(moment, server, round, fromToken);
    const asked = ask(server, round.imports);
    await come;
    await server.kill('SIGKILL');
    const acknowledged = await asked;
    for (const what of standing(readDeadLog(folder))) stoodAt.add(what);
    for (const gate of round.gates) gate.open();
    server = await startServer(t, folder, settings);
    // What was acknowledged ends without being asked for again.
    await awaitTasks(server.api, acknowledged);
    // What was not is asked for again, and nothing of it runs twice.
    const all = await ask(server, round.imports);
    t.is(all.length, round.imports.length);
    t.deepEqual(acknowledged.filter((id) => !all.includes(id)), []);
    const ended = await awaitTasks(server.api, all);
    t.deepEqual(ended.map(({ state, failure }) => ({ state, failure })), all.map(() => ({ state: 'STATE_SUCCEEDED', failure: undefined })));
    round.imports.forEach(({ image }, index) => expected.set(all[index]!, image.digest));
  }
  await assertAllIsWell(t, server, expected);
  return stoodAt;
}

async function assertAllIsWell(t: ExecutionContext, server: LehrServer, expected: ReadonlyMap<string, string>): Promise<void> {
  t.deepEqual(new Map([...await servedImages(server)].toSorted()), new Map([...expected].toSorted()), 'one image for each task, with its bytes');
  for (const id of expected.keys()) {
    const told = story(await eventsOf(server.api, `tasks/${id}`));
    t.deepEqual(told.slice(-2), ['imageStored', 'taskSucceeded'], `task ${id}`);
    t.is(told.filter((what) => what === 'imageStored').length, 1, `task ${id} passed its point of no return once`);
    t.deepEqual(story(await eventsOf(server.api, `images/${id}`)), ['imageRegistered']);
  }
  const { faults, events } = await server.api.verifyEvents({});
  t.deepEqual(faults, []);
  t.true(events > 0n);
  const files = await registeredFiles(server.api);
  t.is(files.length, expected.size);
  t.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
  t.deepEqual(storeFiles(server.folder), { staging: [], images: files });
}

const stoodAt = new Set<string>();

/** With four rounds each, these two meet every moment once. */
for (const seed of [0, 4]) {
  test(`every acknowledged task ends by itself, with one image, after ${roundsPerSeed} deaths by SIGKILL (seed ${seed})`, async (t) => {
    t.timeout(300_000);
    for (const what of await surviveRounds(t, seed)) stoodAt.add(what);
  });
}

test.after('the deaths met tasks at every stage, and between store and success', () => {
  const wanted = [['taskCreated'], ['attemptStarted'], ['stageCompleted fetch'], ['stageCompleted inspect'], ['imageStored', 'imageRegistered']];
  const missed = wanted.filter((places) => !places.some((what) => stoodAt.has(what)));
  if (missed.length > 0) throw new Error(`no server died while a task stood at ${missed.flat().join(', ')}, only at ${[...stoodAt].join(', ')}`);
});
