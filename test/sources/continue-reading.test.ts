import { randomBytes } from 'node:crypto';
import test from 'ava';
import { failure, FailureError } from '../../src/domain/failures.ts';
import { continuationLimit } from '../../src/sources/continue-reading.ts';
import { createSources } from '../../src/sources/create-sources.ts';
import { openly } from '../../src/sources/source.ts';
import { startFaultyServer } from './faulty-server.ts';
import type { Answer, Asked, BehaviourName, ServedContent } from './faulty-server.ts';
import { keepingReceiver, settings } from './read.ts';

const bytes = randomBytes(3_000_000);
const never = new AbortController().signal;
const restedDate = 'Thu, 01 Jan 2026 10:00:00 GMT';
const tagged: ServedContent = { bytes, etag: '"v1"' };
const dated: ServedContent = { bytes, lastModified: restedDate };
const changed: ServedContent = { bytes: Buffer.from(bytes).reverse(), etag: '"v2"' };
const from = (offset: number, ifRange?: string): Asked => ({ range: `bytes=${offset}-`, ...(ifRange === undefined ? {} : { ifRange }) });
const all: Asked = {};

interface ReadResult {
  readonly outcome: string;
  readonly pauses: readonly number[];
  readonly starts: number;
}

/** Reads without waiting between continuations; what came of it. */
async function read(uri: string, idleTimeoutMs = 60_000): Promise<ReadResult> {
  const pauses: number[] = [];
  const receiver = keepingReceiver();
  const sources = createSources({ ...settings, idleTimeoutMs, pause: async (delayMs) => void pauses.push(delayMs) });
  try {
    await sources.read(openly(uri), receiver, never);
    return { outcome: receiver.bytes().equals(bytes) ? 'whole' : 'other bytes', pauses, starts: receiver.starts.length };
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { reason, message, retryable } = error.failure;
    if (message.includes('secret')) throw new Error('A secret is told.', { cause: error });
    return { outcome: `${reason}${retryable ? '' : ', for good'}`, pauses, starts: receiver.starts.length };
  } finally {
    await sources.close();
  }
}

const stories: readonly {
  readonly answers: readonly [Answer | BehaviourName, ...(Answer | BehaviourName)[]];
  readonly content?: ServedContent;
  readonly outcome: string;
  readonly asked: readonly Asked[];
  readonly idleTimeoutMs?: number;
}[] = [
  { answers: ['closes at 10 %', 'is well'], outcome: 'whole', asked: [all, from(300_000, '"v1"')] },
  { answers: ['closes at 50 %', 'is well'], outcome: 'whole', asked: [all, from(1_500_000, '"v1"')] },
  { answers: ['closes at 99 %', 'is well'], outcome: 'whole', asked: [all, from(2_970_000, '"v1"')] },
  { answers: ['closes behind its header', 'is well'], outcome: 'whole', asked: [all, all] },
  {
    answers: ['closes at 10 %', 'closes at 50 %', 'closes at 99 %', 'is well'],
    outcome: 'whole',
    asked: [all, from(300_000, '"v1"'), from(1_500_000, '"v1"'), from(2_970_000, '"v1"')],
  },
  { answers: ['stalls at 50 %', 'is well'], idleTimeoutMs: 900, outcome: 'whole', asked: [all, from(1_500_000, '"v1"')] },
  { answers: ['closes at 50 %', 'is well'], content: dated, outcome: 'whole', asked: [all, from(1_500_000, restedDate)] },
  // A weak tag may stand for two contents; the date beside it may not be sent, but is compared.
  {
    answers: ['closes at 50 %', 'is well'],
    content: { ...dated, etag: 'W/"v1"' },
    outcome: 'whole',
    asked: [all, from(1_500_000)],
  },
  { answers: ['closes at 50 %', 'is well'], content: { bytes, etag: 'W/"v1"' }, outcome: 'REASON_SOURCE_TRUNCATED', asked: [all] },
  { answers: ['closes at 50 %', 'is well'], content: { bytes }, outcome: 'REASON_SOURCE_TRUNCATED', asked: [all] },
  // Whatever was changed at the second of the answer may change again within it.
  {
    answers: ['closes at 50 %', 'is well'],
    content: { bytes, lastModified: 'Thu, 01 Jan 2026 12:00:00 GMT' },
    outcome: 'REASON_SOURCE_TRUNCATED',
    asked: [all],
  },
  { answers: ['closes at 50 %', 'answers 503', 'answers 503', 'is well'], outcome: 'whole', asked: [all, ...Array(3).fill(from(1_500_000, '"v1"'))] },
  { answers: ['closes at 50 %', 'drops the connection', 'is well'], outcome: 'whole', asked: [all, ...Array(2).fill(from(1_500_000, '"v1"'))] },
  { answers: ['closes at 50 %', 'answers 404'], outcome: 'REASON_SOURCE_NOT_FOUND, for good', asked: [all, from(1_500_000, '"v1"')] },
  { answers: ['closes at 50 %', 'redirects in a circle'], outcome: 'REASON_SOURCE_ERROR, for good', asked: [all, ...Array(6).fill(from(1_500_000, '"v1"'))] },
  { answers: ['redirects to another path', 'closes at 50 %', 'redirects to another path', 'is well'], outcome: 'whole', asked: [all, all, ...Array(2).fill(from(1_500_000, '"v1"'))] },
  { answers: ['knows no ranges and closes at 50 %', 'knows no ranges'], outcome: 'whole', asked: [all, from(1_500_000, '"v1"')] },
  {
    answers: ['knows no ranges and closes at 50 %'],
    outcome: 'REASON_SOURCE_TRUNCATED',
    asked: [all, from(1_500_000, '"v1"'), from(1_500_000, '"v1"')],
  },
  ...([
    'answers 416', 'sends another range', 'sends a shorter range', 'sends a range of another total',
    'sends a range of an unknown total', 'sends a part of another content',
  ] as const).flatMap((how) => [
    { answers: ['closes at 50 %', how, 'is well'], outcome: 'whole', asked: [all, from(1_500_000, '"v1"'), all] } as const,
    { answers: ['closes at 50 %', how, { how: 'is well', of: changed }], outcome: 'REASON_SOURCE_CHANGED', asked: [all, from(1_500_000, '"v1"'), all] } as const,
  ]),
  { answers: ['closes at 50 %', { how: 'is well', of: changed }], outcome: 'REASON_SOURCE_CHANGED', asked: [all, from(1_500_000, '"v1"')] },
  {
    answers: ['closes at 50 %', { how: 'is well', of: { bytes, lastModified: 'Thu, 01 Jan 2026 11:00:00 GMT' } }],
    content: dated,
    outcome: 'REASON_SOURCE_CHANGED',
    asked: [all, from(1_500_000, restedDate)],
  },
  { answers: ['closes at 50 %', 'sends a page'], outcome: 'REASON_SOURCE_CHANGED', asked: [all, from(1_500_000, '"v1"')] },
  {
    answers: ['closes at 50 %', 'ends the part early, in chunks', 'is well'],
    outcome: 'whole',
    asked: [all, from(1_500_000, '"v1"'), from(1_600_000, '"v1"')],
  },
  { answers: ['closes at 50 %', 'sends more than the part, in chunks'], outcome: 'REASON_SOURCE_CHANGED', asked: [all, from(1_500_000, '"v1"')] },
];

for (const [index, { answers, content = tagged, outcome, asked, idleTimeoutMs }] of stories.entries()) {
  const told = answers.map((answer): Answer => (typeof answer === 'string' ? { how: answer } : answer));
  const names = told.map(({ how, of }) => (of === undefined ? how : `${how} with another content`));
  const shown = Object.entries(content).flatMap(([name, value]) => (name === 'bytes' ? [] : [`${name} ${String(value)}`])).join(', ');
  test(`${index + 1}: a server (${shown === '' ? 'no validator' : shown}) that ${names.join(', then ')}: ${outcome}`, async (t) => {
    const server = await startFaultyServer(t, content, told as [Answer, ...Answer[]]);
    const result = await read(server.uri, idleTimeoutMs);
    t.is(result.outcome, outcome);
    t.is(result.starts, 1);
    t.deepEqual(server.asked, asked);
  });
}

test('a source that resets the connection is gone on with from wherever that left the reader', async (t) => {
  const server = await startFaultyServer(t, tagged, [{ how: 'resets at 10 %' }, { how: 'is well' }]);
  t.is((await read(server.uri)).outcome, 'whole');
  t.is(server.asked.length, 2);
});

test('a source that brings nothing any more is given up, after longer and longer pauses', async (t) => {
  const server = await startFaultyServer(t, tagged, [{ how: 'closes at 10 %' }]);
  const { outcome, pauses } = await read(server.uri);
  t.is(outcome, 'REASON_SOURCE_TRUNCATED');
  t.is(server.asked.length, 1 + continuationLimit);
  t.deepEqual(pauses, [500, 1_000, 2_000, 4_000, 8_000]);
});

test('a source that says when to come again is not asked before', async (t) => {
  const server = await startFaultyServer(t, tagged, [
    { how: 'closes at 50 %' }, { how: 'answers 503 and asks for half a minute' }, { how: 'answers 503' }, { how: 'is well' },
  ]);
  const { outcome, pauses } = await read(server.uri);
  t.is(outcome, 'whole');
  t.deepEqual(pauses, [250, 30_000, 1_000]);
});

test('a source that wants to be left alone for long is left to the next attempt', async (t) => {
  const server = await startFaultyServer(t, tagged, [{ how: 'closes at 50 %' }, { how: 'answers 429 and asks for an hour' }, { how: 'is well' }]);
  const { outcome, pauses } = await read(server.uri);
  t.is(outcome, 'REASON_SOURCE_ERROR');
  t.deepEqual(pauses, [250]);
});

test('a source that brings something each time is never given up, and the receiver may take its time', async (t) => {
  const large = randomBytes(12_000_000);
  const server = await startFaultyServer(t, { bytes: large, etag: '"v1"' }, [{ how: 'closes after another 1.1 MB' }]);
  const pauses: number[] = [];
  const sources = createSources({ ...settings, maxImageBytes: large.length, pause: async (delayMs) => void pauses.push(delayMs) });
  t.teardown(() => sources.close());
  const chunks: Buffer[] = [];
  let isTaking = false;
  await sources.read(openly(server.uri), {
    begin: () => undefined,
    async receive(chunk) {
      t.false(isTaking);
      isTaking = true;
      chunks.push(Buffer.from(chunk));
      await new Promise((resolve) => setImmediate(resolve));
      isTaking = false;
    },
  }, never);
  t.true(Buffer.concat(chunks).equals(large));
  t.deepEqual(pauses, Array(10).fill(250));
});

test('what the receiver refuses is no break of the source', async (t) => {
  const server = await startFaultyServer(t, tagged, [{ how: 'is well' }]);
  const sources = createSources({ ...settings, pause: () => Promise.reject(new Error('There is nothing to wait for.')) });
  t.teardown(() => sources.close());
  const refusal = new FailureError(failure('SOURCE_TRUNCATED', 'as the receiver sees it'));
  for (const receive of [(): never => { throw refusal; }, (): Promise<void> => Promise.reject(refusal)]) {
    t.is(await t.throwsAsync(sources.read(openly(server.uri), { begin: () => undefined, receive }, never)), refusal);
  }
  t.deepEqual(server.asked, [all, all]);
});

test('an abort ends the wait for a continuation', async (t) => {
  const server = await startFaultyServer(t, tagged, [{ how: 'closes at 50 %' }]);
  const abort = new AbortController();
  const canceled = new Error('canceled');
  const sources = createSources({
    ...settings,
    pause: async (_delayMs, signal) => {
      abort.abort(canceled);
      signal.throwIfAborted();
    },
  });
  t.teardown(() => sources.close());
  t.is(await t.throwsAsync(sources.read(openly(server.uri), keepingReceiver(), abort.signal)), canceled);
  t.deepEqual(server.asked, [all]);
});

test('a reading asked to go on begins where it was told to, and begins anew where the content is another', async (t) => {
  const resume = { offsetBytes: 1_000_000, sizeBytes: bytes.length, validators: { etag: '"v1"' } };
  const cases = [
    { answers: [{ how: 'is well' }], offsetBytes: 1_000_000, content: tagged, expected: bytes.subarray(1_000_000) },
    { answers: [{ how: 'closes at 50 %' }, { how: 'is well' }], offsetBytes: 1_000_000, content: tagged, expected: bytes.subarray(1_000_000) },
    { answers: [{ how: 'is well' }], offsetBytes: 0, content: changed, expected: changed.bytes },
    { answers: [{ how: 'knows no ranges' }], offsetBytes: 0, content: tagged, expected: bytes },
    { answers: [{ how: 'answers 416' }, { how: 'is well' }], offsetBytes: 0, content: changed, expected: changed.bytes },
  ] as const;
  for (const { answers, content, offsetBytes, expected } of cases) {
    const server = await startFaultyServer(t, content, answers);
    const sources = createSources({ ...settings, pause: async () => undefined });
    const receiver = keepingReceiver();
    await sources.read({ ...openly(server.uri), resume }, receiver, never);
    t.is(receiver.starts[0]?.offsetBytes, offsetBytes);
    t.is(receiver.starts[0]?.sizeBytes, bytes.length);
    t.deepEqual(receiver.starts[0]?.validators, { etag: content.etag });
    t.true(receiver.bytes().equals(expected));
    await sources.close();
  }
});
