import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { FailureError } from '../../src/domain/failures.ts';
import { createSources } from '../../src/sources/create-sources.ts';
import type { SourceSettings } from '../../src/sources/create-sources.ts';
import { parseSourceAllow } from '../../src/sources/parse-source-allow.ts';
import { rangeLimitBytes, RangesUnsupportedError } from '../../src/sources/source.ts';
import type { RangedSource } from '../../src/sources/source.ts';
import { openly } from '../../src/sources/source.ts';
import { closed, startBadServer } from './bad-server.ts';
import { settings } from './read.ts';

/** A content in which no two parts are alike. */
const content = Buffer.concat(Array.from({ length: 31_250 }, (_, index) => createHash('sha256').update(String(index)).digest()));
const headBytes = 327_680;
const never = new AbortController().signal;

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: Uint8Array;
}

/** The first and the last byte that a request asks for. */
function askedOf(request: IncomingMessage): readonly [first: number, last: number] {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  return [Number(first), Math.min(Number(last), content.length - 1)];
}

/** Answers with the range that is asked for, as a good server does, but for what `changed` says. */
function sendRange(request: IncomingMessage, response: ServerResponse, changed: Answer = {}): void {
  const [first, last] = askedOf(request);
  const body = changed.body ?? content.subarray(first, last + 1);
  const headers: Record<string, string | undefined> = {
    'content-range': `bytes ${first}-${last}/${content.length}`, 'content-length': String(body.length), etag: '"v1"', ...changed.headers,
  };
  response.strictContentLength = false;
  response.writeHead(changed.status ?? 206, Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)));
  response.end(body);
}

async function open(t: ExecutionContext, uri: string, changed: Partial<SourceSettings> = {}): Promise<RangedSource> {
  const sources = createSources({ ...settings, ...changed });
  t.teardown(() => sources.close());
  return sources.openRanges(openly(uri), never);
}

interface Said {
  readonly reason: string;
  readonly retryable: boolean;
  readonly message: string;
}

/** What an attempt that must fail says, in the parts that do not differ from run to run. */
async function failing(attempt: Promise<unknown>): Promise<Said> {
  try {
    await attempt;
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    return { reason: error.failure.reason.slice('REASON_'.length), retryable: error.failure.retryable, message: error.message };
  }
  throw new Error('It did not fail.');
}

test('parts are read in any order, the first ones from the first answer, on one connection, and the tag is pinned', async (t) => {
  const asked: unknown[] = [];
  const { origin, sockets } = await startBadServer(t, (request, response) => {
    asked.push([request.method, request.headers.range, request.headers['if-range']]);
    sendRange(request, response, { headers: { 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' } });
  });
  const source = await open(t, `${origin}/disk`);
  t.is(source.sizeBytes, content.length);
  t.deepEqual(source.facts, { host: new URL(origin).host, etag: '"v1"', last_modified: 'Thu, 01 Jan 2026 00:00:00 GMT' });
  const parts: readonly (readonly [offset: number, length: number])[] = [
    [0, 512], [headBytes - 512, 512], [headBytes - 1, 2], [900_000, 4_096], [500_000, 1], [content.length - 512, 512],
    [content.length - 10, 512], [content.length, 512], [content.length + 5, 512], [400_000, 0],
  ];
  for (const [offset, length] of parts) {
    t.true(content.subarray(offset, offset + length).equals(await source.read(offset, length, never)), `${length} bytes at ${offset}`);
  }
  await source.close();
  t.deepEqual(asked, [
    ['GET', 'bytes=0-327679', undefined], ['GET', 'bytes=327679-327680', '"v1"'], ['GET', 'bytes=900000-904095', '"v1"'],
    ['GET', 'bytes=500000-500000', '"v1"'], ['GET', 'bytes=999488-999999', '"v1"'], ['GET', 'bytes=999990-999999', '"v1"'],
  ]);
  t.is(sockets.length, 1);
});

test('parts are read at the same time', async (t) => {
  const { origin } = await startBadServer(t, sendRange);
  const source = await open(t, origin);
  const offsets = [400_000, 600_000, 800_000];
  const parts = await Promise.all(offsets.map((offset) => source.read(offset, 10_000, never)));
  t.deepEqual(parts.map((part, index) => content.compare(part, 0, 10_000, offsets[index], offsets[index]! + 10_000)), [0, 0, 0]);
});

test('a content shorter than the first range is read with one request', async (t) => {
  let requests = 0;
  const { origin } = await startBadServer(t, (_, response) => {
    requests += 1;
    response.writeHead(206, { 'content-range': 'bytes 0-4/5' }).end('short');
  });
  const source = await open(t, origin);
  t.is(Buffer.from(await source.read(1, 100, never)).toString(), 'hort');
  t.is(requests, 1);
});

test('of an empty content, which has no part to send, the size is known', async (t) => {
  const { origin } = await startBadServer(t, (_, response) => void response.writeHead(416, { 'content-range': 'bytes */0' }).end('no such range'));
  const source = await open(t, origin);
  t.deepEqual([source.sizeBytes, [...await source.read(0, 512, never)]], [0, []]);
});

test('redirects are followed once, and the address that they led to is asked ever after', async (t) => {
  const asked: (string | undefined)[] = [];
  const { origin } = await startBadServer(t, (request, response) => {
    asked.push(request.url);
    if (request.url === '/signed?token=1') return sendRange(request, response);
    response.writeHead(302, { location: '/signed?token=1' }).end();
  });
  const source = await open(t, `${origin}/disk`);
  await source.read(500_000, 10, never);
  await source.read(600_000, 10, never);
  t.deepEqual(asked, ['/disk', '/signed?token=1', '/signed?token=1', '/signed?token=1']);
});

test('a weak tag is no condition, and neither is a date, but both are compared', async (t) => {
  const conditions: unknown[] = [];
  const { origin } = await startBadServer(t, (request, response) => {
    conditions.push(request.headers['if-range']);
    sendRange(request, response, { headers: { etag: 'W/"v1"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' } });
  });
  const source = await open(t, origin);
  await source.read(500_000, 10, never);
  t.deepEqual(conditions, [undefined, undefined]);
});

test('an answer to a condition may leave out the date', async (t) => {
  let requests = 0;
  const { origin } = await startBadServer(t, (request, response) => {
    requests += 1;
    sendRange(request, response, { headers: { 'last-modified': requests === 1 ? 'Thu, 01 Jan 2026 00:00:00 GMT' : undefined } });
  });
  const source = await open(t, origin);
  t.is((await source.read(500_000, 10, never)).length, 10);
});

const unsupported: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  'sends everything': (_, response) => {
    response.writeHead(200, { 'content-length': 1e12 });
    const pump = (): void => {
      while (response.write(content));
      response.once('drain', pump);
    };
    pump();
  },
  'does not know its size': (request, response) => sendRange(request, response, { headers: { 'content-range': 'bytes 0-327679/*' } }),
  'sends parts of several': (request, response) => {
    sendRange(request, response, { headers: { 'content-range': undefined, 'content-type': 'multipart/byteranges; boundary=x' } });
  },
};

for (const [what, answer] of Object.entries(unsupported)) {
  test(`a source that ${what} does not serve ranges, and is cut off`, async (t) => {
    const { origin, sockets } = await startBadServer(t, answer);
    await t.throwsAsync(open(t, `${origin}/disk?token=secret`), {
      instanceOf: RangesUnsupportedError, message: `${origin}/disk does not send parts of its content.`,
    });
    const [socket] = sockets;
    await closed(socket!);
    t.true(socket!.bytesWritten < 16 * 1024 * 1024, `${socket!.bytesWritten} bytes were sent`);
  });
}

interface Misbehaviour {
  readonly what: string;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  readonly reason: string;
  readonly retryable: boolean;
  readonly says: RegExp;
  readonly settings?: Partial<SourceSettings>;
}

const dribble = (request: IncomingMessage, response: ServerResponse): void => {
  const [first, last] = askedOf(request);
  response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${content.length}`, 'content-length': last - first + 1, etag: '"v1"' });
  response.write(content.subarray(first, first + 1));
};

const drop = (request: IncomingMessage, response: ServerResponse): void => {
  const [first, last] = askedOf(request);
  response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${content.length}`, 'content-length': last - first + 1, etag: '"v1"' });
  response.write(content.subarray(first, first + 1), () => response.socket?.end());
};

/** The body in chunks, without a length that the client's parser would hold it to. */
const chunked = (sizeBytes: number) => (request: IncomingMessage, response: ServerResponse): void => {
  const [first] = askedOf(request);
  sendRange(request, response, { headers: { 'content-length': undefined }, body: content.subarray(first, first + sizeBytes) });
};

/** What goes wrong in the same way whether it is the first range or a later one; of both, `RANGE` bytes are asked for. */
const wrongAnswers: readonly Misbehaviour[] = [
  {
    what: 'sends another range', reason: 'SOURCE_ERROR', retryable: false, says: /sent the range "bytes 1-10\/1000000" where "bytes \d+-\d+\/1000000" was asked for/,
    answer: (request, response) => sendRange(request, response, { headers: { 'content-range': 'bytes 1-10/1000000' } }),
  },
  {
    what: 'announces a body longer than the range', reason: 'SOURCE_ERROR', retryable: false, says: /sent a body of 1000000 bytes where/,
    answer: (request, response) => sendRange(request, response, { body: content }),
  },
  {
    what: 'announces a body shorter than the range', reason: 'SOURCE_ERROR', retryable: false, says: /sent a body of 5 bytes where/,
    answer: (request, response) => sendRange(request, response, { body: content.subarray(0, 5) }),
  },
  {
    what: 'sends a body in chunks that is too long', reason: 'SOURCE_ERROR', retryable: false, says: /sent more than the \d+ bytes that were asked for/,
    answer: chunked(headBytes + 1),
  },
  {
    what: 'sends a body in chunks that is too short', reason: 'SOURCE_TRUNCATED', retryable: true, says: /sent 5 bytes of the \d+ that were asked for/,
    answer: chunked(5),
  },
  { what: 'drops the connection', reason: 'SOURCE_TRUNCATED', retryable: true, says: /dropped the connection after 1 bytes of \d+ announced/, answer: drop },
  {
    what: 'stalls in the body', reason: 'SOURCE_TOO_SLOW', retryable: true, says: /and then nothing for the idle time-out/, settings: { idleTimeoutMs: 900 },
    answer: dribble,
  },
  {
    what: 'stalls before its answer', reason: 'SOURCE_TOO_SLOW', retryable: true, says: /nothing for the idle time-out/, settings: { idleTimeoutMs: 900 },
    answer: () => undefined,
  },
  {
    what: 'encodes the content', reason: 'SOURCE_ERROR', retryable: false, says: /encoded as gzip/,
    answer: (request, response) => sendRange(request, response, { headers: { 'content-encoding': 'gzip' } }),
  },
  {
    what: 'answers 404', reason: 'SOURCE_NOT_FOUND', retryable: false, says: /answered 404/,
    answer: (_, response) => void response.writeHead(404).end(),
  },
  {
    what: 'answers 503', reason: 'SOURCE_ERROR', retryable: true, says: /answered 503/,
    answer: (_, response) => void response.writeHead(503).end(),
  },
];

const wrongFirst: readonly Misbehaviour[] = [
  ...wrongAnswers,
  {
    what: 'answers 416', reason: 'SOURCE_ERROR', retryable: false, says: /answered 416/,
    answer: (_, response) => void response.writeHead(416).end(),
  },
  {
    what: 'says with much ado that it is empty', reason: 'SOURCE_ERROR', retryable: false, says: /sent more than the 0 bytes/,
    answer: (_, response) => void response.writeHead(416, { 'content-range': 'bytes */0' }).end(content),
  },
  {
    what: 'is larger than the limit', reason: 'SOURCE_TOO_LARGE', retryable: false, says: /larger than the limit of 999999 bytes/, settings: { maxImageBytes: 999_999 },
    answer: sendRange,
  },
  {
    what: 'redirects in a circle', reason: 'SOURCE_ERROR', retryable: false, says: /redirects more than 5 times/,
    answer: (_, response) => void response.writeHead(302, { location: '/' }).end(),
  },
  {
    what: 'redirects to a metadata service', reason: 'SOURCE_NOT_ALLOWED', retryable: false, says: /never contacted/,
    answer: (_, response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
  },
];

for (const { what, answer, reason, retryable, says, settings: changed } of wrongFirst) {
  test(`a source that ${what} is not opened: ${reason}`, async (t) => {
    const { origin } = await startBadServer(t, answer);
    const { message, ...failed } = await failing(open(t, `${origin}/disk?token=secret`, changed));
    t.deepEqual(failed, { reason, retryable });
    t.regex(message, says);
    t.notRegex(message, /secret/);
  });
}

const wrongLater: readonly Misbehaviour[] = [
  ...wrongAnswers,
  {
    what: 'has another total', reason: 'SOURCE_CHANGED', retryable: true, says: /is 1000001 bytes long now, and was 1000000 before/,
    answer: (request, response) => sendRange(request, response, { headers: { 'content-range': 'bytes 500000-500511/1000001' } }),
  },
  {
    what: 'no longer says its total', reason: 'SOURCE_ERROR', retryable: false, says: /sent the range "bytes 500000-500511\/\*"/,
    answer: (request, response) => sendRange(request, response, { headers: { 'content-range': 'bytes 500000-500511/*' } }),
  },
  {
    what: 'has another ETag', reason: 'SOURCE_CHANGED', retryable: true, says: /another ETag/,
    answer: (request, response) => sendRange(request, response, { headers: { etag: '"v2"' } }),
  },
  {
    what: 'has no ETag any more', reason: 'SOURCE_CHANGED', retryable: true, says: /another ETag/,
    answer: (request, response) => sendRange(request, response, { headers: { etag: undefined } }),
  },
  {
    what: 'has another date', reason: 'SOURCE_CHANGED', retryable: true, says: /another Last-Modified/,
    answer: (request, response) => sendRange(request, response, { headers: { 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' } }),
  },
  {
    what: 'sends everything, since the tag is no longer right', reason: 'SOURCE_CHANGED', retryable: true, says: /answered 200 where it had sent parts/,
    answer: (_, response) => void response.writeHead(200, { 'content-length': content.length }).end(content),
  },
  {
    what: 'answers 416', reason: 'SOURCE_CHANGED', retryable: true, says: /answered 416 where/,
    answer: (_, response) => void response.writeHead(416, { 'content-range': 'bytes */100' }).end(),
  },
  {
    what: 'redirects', reason: 'SOURCE_CHANGED', retryable: true, says: /redirects, and had sent parts/,
    answer: (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
  },
];

for (const { what, answer, reason, retryable, says, settings: changed } of wrongLater) {
  test(`a source that ${what} after it was opened is ${reason}`, async (t) => {
    let requests = 0;
    const { origin } = await startBadServer(t, (request, response) => {
      requests += 1;
      if (requests === 1) sendRange(request, response);
      else answer(request, response);
    });
    const source = await open(t, `${origin}/disk?token=secret`, changed);
    const { message, ...failed } = await failing(source.read(500_000, 512, never));
    t.deepEqual(failed, { reason, retryable });
    t.regex(message, says);
    t.notRegex(message, /secret/);
  });
}

test('without a tag a later part whose date differs is refused', async (t) => {
  let requests = 0;
  const { origin } = await startBadServer(t, (request, response) => {
    requests += 1;
    sendRange(request, response, { headers: { etag: undefined, 'last-modified': `Thu, 0${requests} Jan 2026 00:00:00 GMT` } });
  });
  const source = await open(t, origin);
  t.like(await failing(source.read(500_000, 512, never)), { reason: 'SOURCE_CHANGED', retryable: true });
});

test('a part is asked for again where the server has dropped the connection meanwhile', async (t) => {
  let requests = 0;
  const { origin } = await startBadServer(t, (request, response) => {
    requests += 1;
    if (requests === 2) request.socket.destroy();
    else sendRange(request, response);
  });
  const source = await open(t, origin);
  t.true(content.subarray(500_000, 500_512).equals(await source.read(500_000, 512, never)));
  t.is(requests, 3);
});

test('an address that source-allow does not open is not opened for parts either', async (t) => {
  const { origin, sockets } = await startBadServer(t, sendRange);
  for (const uri of [origin, origin.replace('127.0.0.1', 'localhost')]) {
    t.like(await failing(open(t, uri, { sourceAllow: [] })), { reason: 'SOURCE_NOT_ALLOWED', retryable: false });
  }
  t.deepEqual(sockets, []);
  const source = await open(t, origin, { sourceAllow: parseSourceAllow(new URL(origin).host) as SourceSettings['sourceAllow'] });
  t.is(source.sizeBytes, content.length);
});

test('an abort ends the reading of a part with its reason, and closing ends all', async (t) => {
  let requests = 0;
  const pending: (() => void)[] = [];
  const { origin, sockets } = await startBadServer(t, (request, response) => {
    requests += 1;
    if (requests === 1) sendRange(request, response);
    else pending.shift()?.();
  });
  const source = await open(t, origin);
  const canceled = new Error('canceled');
  const abort = new AbortController();
  pending.push(() => abort.abort(canceled));
  t.is(await t.throwsAsync(source.read(500_000, 512, abort.signal)), canceled);
  pending.push(() => void source.close());
  await t.throwsAsync(source.read(500_000, 512, never), { message: 'The source was closed.' });
  await t.throwsAsync(source.read(0, 512, never), { message: 'The source was closed.' });
  await Promise.all(sockets.map(closed));
  t.is(requests, 3);
});

for (const [offset, length] of [[-1, 1], [0, -1], [0.5, 1], [0, rangeLimitBytes + 1], [NaN, 1], [2 ** 53, 1]] as const) {
  test(`nobody may read ${length} bytes at ${offset}`, async (t) => {
    const { origin } = await startBadServer(t, sendRange);
    const source = await open(t, origin);
    await t.throwsAsync(source.read(offset, length, never), { instanceOf: RangeError });
  });
}

function fileFolder(t: ExecutionContext): { readonly root: string; readonly uriOf: (name: string) => string } {
  const root = mkdtempSync(join(tmpdir(), 'lehr-ranges-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(join(root, 'disk'), content);
  return { root, uriOf: (name) => pathToFileURL(join(root, name)).href };
}

test('parts of a file are read in any order', async (t) => {
  const { root, uriOf } = fileFolder(t);
  const source = await open(t, uriOf('disk'), { fileRoots: [root] });
  t.is(source.sizeBytes, content.length);
  t.deepEqual(Object.keys(source.facts), ['last_modified']);
  for (const [offset, length] of [[900_000, 4_096], [0, 512], [content.length - 10, 512], [content.length + 1, 5], [5, 0]] as const) {
    t.true(content.subarray(offset, offset + length).equals(await source.read(offset, length, never)));
  }
  await source.close();
});

test('a file that is changed while it is open is refused', async (t) => {
  const { root, uriOf } = fileFolder(t);
  for (const change of [(path: string): void => appendFileSync(path, 'more'), (path: string): void => truncateSync(path, 100)]) {
    writeFileSync(join(root, 'disk'), content);
    const source = await open(t, uriOf('disk'), { fileRoots: [root] });
    change(join(root, 'disk'));
    t.like(await failing(source.read(900_000, 512, never)), { reason: 'SOURCE_CHANGED', retryable: true });
    await source.close();
  }
});

test('a file outside of the roots, a folder and a file that is missing or too large are not opened for parts', async (t) => {
  const { root, uriOf } = fileFolder(t);
  symlinkSync('/etc/passwd', join(root, 'link'));
  const cases = [['link', 'SOURCE_NOT_ALLOWED'], ['', 'SOURCE_NOT_ALLOWED'], ['missing', 'SOURCE_NOT_FOUND'], ['disk', 'SOURCE_TOO_LARGE']] as const;
  for (const [name, reason] of cases) {
    t.like(await failing(open(t, uriOf(name), { fileRoots: [root], maxImageBytes: 999_999 })), { reason, retryable: false }, name);
  }
  t.like(await failing(open(t, uriOf('disk'))), { reason: 'SOURCE_NOT_ALLOWED' });
});
