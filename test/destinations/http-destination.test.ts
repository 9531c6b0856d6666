import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { artefactOf } from '../../src/stages/artefact-of.ts';
import type { Failure } from '../../src/gen/lehr/v1/failure.ts';
import { content, digestOf, openBench, pool } from './delivering.ts';

test.after.always(() => pool.close());

/** What a server does with a PUT of which the header has come; `stored` is what it keeps, by path. */
type Putting = (request: IncomingMessage, response: ServerResponse, stored: Map<string, Buffer>) => void | Promise<void>;

interface Server {
  readonly url: string;
  readonly stored: Map<string, Buffer>;
  /** Method and path of each request, and If-None-Match where it was sent. */
  readonly asked: string[];
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

/** Keeps what comes as a good server does. */
const keeps: Putting = async (request, response, stored) => {
  const bytes = await bodyOf(request);
  if (bytes.length !== Number(request.headers['content-length'])) return;
  stored.set(request.url ?? '', bytes);
  response.writeHead(201).end();
};

const gets = (request: IncomingMessage, response: ServerResponse, stored: Map<string, Buffer>): void => {
  const bytes = stored.get(request.url ?? '');
  if (bytes === undefined) response.writeHead(404).end();
  else response.writeHead(200, { 'content-length': bytes.length, etag: '"1"' }).end(bytes);
};

async function serve(t: ExecutionContext, put: Putting, get: Putting = gets): Promise<Server> {
  const stored = new Map<string, Buffer>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const condition = request.headers['if-none-match'];
    asked.push([request.method, request.url, ...(condition === undefined ? [] : [`if-none-match ${condition}`])].join(' '));
    if (request.method === 'DELETE') {
      response.writeHead(stored.delete(request.url ?? '') ? 204 : 404).end();
      return;
    }
    // A client that goes away in the middle is what some of these tests are about.
    Promise.resolve((request.method === 'PUT' ? put : get)(request, response, stored)).catch(() => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stored, asked };
}

const answers = (status: number, headers: Readonly<Record<string, string>> = {}): Putting => (request, response) => {
  request.resume();
  response.writeHead(status, headers).end('no');
};
/** Answers at once, and reads nothing. */
const answersEarly = (status: number): Putting => (_, response) => void response.writeHead(status).end();
const afterBody = (then: (response: ServerResponse, request: IncomingMessage) => void): Putting => async (request, response) => {
  await bodyOf(request);
  then(response, request);
};
const ours = { digest: digestOf(content), sizeBytes: content.length };

test.serial('an object is put with its length and the condition that nothing is there, and read back', async (t) => {
  const { url, stored, asked } = await serve(t, keeps);
  const { deliver } = openBench(t);
  t.deepEqual(await deliver(`${url}/a?sig=secret`), { location: `${url}/a`, ...ours, verified: true });
  t.true(stored.get('/a?sig=secret')?.equals(content));
  t.deepEqual(asked, ['GET /a?sig=secret', 'PUT /a?sig=secret if-none-match *', 'GET /a?sig=secret']);
});

test.serial('where a GET is not allowed the object is delivered and said to be unverified', async (t) => {
  for (const get of [answers(405), answers(403), answers(501)]) {
    const { url, stored } = await serve(t, keeps, get);
    t.deepEqual(await openBench(t).deliver(`${url}/a`), { location: `${url}/a`, ...ours, verified: false });
    t.true(stored.get('/a')?.equals(content));
  }
});

const there: readonly (readonly [what: string, bytes: Buffer, outcome: object])[] = [
  ['other bytes', Buffer.from('x'), { reason: 'REASON_DESTINATION_EXISTS' }],
  ['other bytes of the same size', Buffer.alloc(content.length, 'y'), { reason: 'REASON_DESTINATION_EXISTS' }],
  ['the very bytes', content, { ...ours, verified: true, existed: true }],
];
for (const [what, bytes, outcome] of there) {
  test.serial(`where ${what} exist nothing is sent`, async (t) => {
    const { url, stored, asked } = await serve(t, keeps);
    stored.set('/a', bytes);
    t.like(await openBench(t).deliver(`${url}/a`), outcome);
    t.true(stored.get('/a')?.equals(bytes));
    t.deepEqual(asked, ['GET /a']);
  });

  for (const status of [409, 412]) {
    test.serial(`a server that says ${status} because ${what} appeared meanwhile is believed after a look`, async (t) => {
      const { url, stored } = await serve(t, (request, response, kept) => {
        kept.set('/a', bytes);
        return answers(status)(request, response, kept);
      });
      t.like(await openBench(t).deliver(`${url}/a`), outcome);
      t.true(stored.get('/a')?.equals(bytes));
    });
  }
}

test.serial('where a GET fails for a while nothing is sent, and what was sent is not taken for delivered', async (t) => {
  for (const status of [408, 425, 429, 500, 502, 503]) {
    const { url, asked } = await serve(t, keeps, answers(status));
    const expected = { reason: 'REASON_DESTINATION_UNREACHABLE', retryable: true, metadata: { http_status: String(status) } } as const;
    t.like(await openBench(t).deliver(`${url}/a`), expected);
    t.deepEqual(asked, ['GET /a']);
    const getsAtFirst: Putting = (request, response, stored) => (stored.size === 0 ? gets : answers(status))(request, response, stored);
    const later = await serve(t, keeps, getsAtFirst);
    t.like(await openBench(t).deliver(`${later.url}/a`), {
      reason: 'REASON_DESTINATION_UNREACHABLE', retryable: true, metadata: { left_behind: `${later.url}/a` },
    });
  }
});

test.serial('what a server has taken and does not show is not delivered, and may be there', async (t) => {
  const { url } = await serve(t, keeps, answers(404));
  t.like(await openBench(t).deliver(`${url}/a`), {
    reason: 'REASON_DESTINATION_UNREACHABLE', retryable: true, metadata: { http_status: '201', left_behind: `${url}/a` },
  });
});

test.serial('where a server says that something exists and then fails to show it, the failure is that one and may pass', async (t) => {
  for (const status of [409, 412]) {
    let isRefused = false;
    const { url } = await serve(t, (...asked) => {
      isRefused = true;
      return answers(status)(...asked);
    }, (...asked) => (isRefused ? answers(503) : gets)(...asked));
    t.like(await openBench(t).deliver(`${url}/a`), { reason: 'REASON_DESTINATION_UNREACHABLE', retryable: true, metadata: { http_status: '503' } });
  }
});

test.serial('what is there and cannot be read, being encoded, is somebody else\'s', async (t) => {
  const { url, asked } = await serve(t, keeps, answers(200, { 'content-encoding': 'gzip' }));
  t.like(await openBench(t).deliver(`${url}/a`), { reason: 'REASON_DESTINATION_EXISTS' });
  t.deepEqual(asked, ['GET /a']);
});

const unreachable = (retryable: boolean): Expected => ({ reason: 'REASON_DESTINATION_UNREACHABLE', retryable });

interface Expected {
  readonly reason: Failure['reason'];
  readonly retryable: boolean;
}

const forbidden: Expected = { reason: 'REASON_DESTINATION_FORBIDDEN', retryable: false };
const full: Expected = { reason: 'REASON_DESTINATION_FULL', retryable: true };

const failing: readonly (readonly [what: string, put: Putting, expected: Expected, metadata: Readonly<Record<string, string>>])[] = [
  ['answers 401', answers(401), forbidden, { http_status: '401' }],
  ['answers 403 before the body', answersEarly(403), forbidden, { http_status: '403' }],
  ['answers 507', answers(507), full, { http_status: '507' }],
  ['answers 413 before the body', answersEarly(413), full, { http_status: '413' }],
  ['answers 409 for want of a folder', answers(409), unreachable(false), { http_status: '409' }],
  ['answers 405', answers(405), unreachable(false), { http_status: '405' }],
  ['answers 302', answers(302, { location: '/b' }), unreachable(false), { http_status: '302' }],
  ['answers 500 after the body', afterBody((response) => response.writeHead(500).end()), unreachable(true), { http_status: '500' }],
  ['is busy', answers(503, { 'retry-after': '7' }), unreachable(true), { http_status: '503', retry_after_seconds: '7' }],
  ['says 201 before it has the body', answersEarly(201), unreachable(false), { http_status: '201' }],
  ['resets the connection in the middle', (request) => void request.once('data', () => request.socket.resetAndDestroy()), unreachable(true), { system_error: 'ECONNRESET' }],
  ['takes all and drops the connection', afterBody((response) => response.socket?.destroy()), unreachable(true), { bytes_sent: String(content.length) }],
  ['takes all and never answers', afterBody(() => undefined), unreachable(true), { system_error: 'UND_ERR_HEADERS_TIMEOUT' }],
  ['takes nothing and never answers', () => undefined, unreachable(true), { system_error: 'UND_ERR_HEADERS_TIMEOUT' }],
  ['answers with no HTTP', (request) => void request.socket.end('hello\r\n\r\n'), unreachable(false), { system_error: 'HTTPParserError' }],
];
for (const [what, put, expected, metadata] of failing) {
  test.serial(`a server that ${what} has nothing, and the failure says what it did`, async (t) => {
    const { url, stored } = await serve(t, put);
    const outcome = await openBench(t, what.endsWith('never answers') ? { idleTimeoutMs: 1_000 } : {}).deliver(`${url}/a`);
    if (!('reason' in outcome)) return t.fail('it was delivered');
    t.deepEqual({ reason: outcome.reason, retryable: outcome.retryable }, expected, outcome.message);
    t.like(outcome.metadata, metadata);
    t.false('left_behind' in outcome.metadata, 'a look has shown that nothing is there');
    t.is(stored.size, 0);
  });
}

test.serial('what a server says before it closes the connection is heard, though more is to be sent than the line holds', async (t) => {
  const bytes = Buffer.alloc(32 * 2 ** 20, 'much');
  const { url } = await serve(t, (request, response) => {
    response.writeHead(413, { connection: 'close' }).end(() => setTimeout(() => request.socket.destroy(), 5));
  });
  const bench = openBench(t);
  writeFileSync(bench.stored, bytes);
  const artefact = artefactOf({ path: bench.stored, name: 'staging/artefact', sizeBytes: bytes.length, digest: digestOf(bytes) }, pool);
  for (let times = 1; times <= 5; times += 1) {
    t.like(await bench.deliver(`${url}/a`, {}, artefact), { reason: 'REASON_DESTINATION_FULL', metadata: { http_status: '413' } });
  }
});

test.serial('what a broken PUT has left is named and not deleted, since it may be anybody\'s', async (t) => {
  const { url, stored } = await serve(t, (request, _, kept) => void request.once('data', (chunk: Buffer) => {
    kept.set('/a', chunk);
    request.socket.resetAndDestroy();
  }));
  t.like(await openBench(t).deliver(`${url}/a`), {
    reason: 'REASON_DESTINATION_UNREACHABLE', metadata: { left_behind: `${url}/a` },
  });
  t.is(stored.size, 1);
});

test.serial('what lies there when a later attempt comes may be what an earlier one has left, and is named', async (t) => {
  const { url, stored } = await serve(t, keeps);
  stored.set('/a', content.subarray(0, 1_000));
  const failed = await openBench(t).deliver(`${url}/a`, { attempt: 2 }) as Failure;
  t.like(failed, { reason: 'REASON_DESTINATION_EXISTS', metadata: { left_behind: `${url}/a` } });
  t.regex(failed.message, /or what a broken attempt of this task has left there/);
});

test.serial('what a later attempt cannot read to its end may be what an earlier one has left, and is named', async (t) => {
  const breaks: Putting = (_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 1_000), () => response.socket?.end());
  };
  const { url } = await serve(t, keeps, breaks);
  const bench = openBench(t);
  const reason = 'REASON_DESTINATION_UNREACHABLE';
  t.like(await bench.deliver(`${url}/a`, { attempt: 2 }), { reason, metadata: { left_behind: `${url}/a` } });
  t.deepEqual((await bench.deliver(`${url}/a`) as Failure).metadata['left_behind'], undefined);
});

test.serial('a server that took all and lost its answer is asked what it has: it is delivered', async (t) => {
  const { url, asked } = await serve(t, async (request, response, stored) => {
    stored.set('/a', await bodyOf(request));
    response.socket?.destroy();
  });
  t.deepEqual(await openBench(t).deliver(`${url}/a`), { location: `${url}/a`, ...ours, verified: true });
  t.is(asked.filter((line) => line.startsWith('PUT')).length, 1);
});

test.serial('a server that stores other bytes is found out, and what it stores is named and stays', async (t) => {
  const { url, stored, asked } = await serve(t, async (request, response, kept) => {
    const bytes = await bodyOf(request);
    bytes[5] = 0;
    kept.set('/a', bytes);
    response.writeHead(201).end();
  });
  t.like(await openBench(t).deliver(`${url}/a`), { reason: 'REASON_DIGEST_MISMATCH', retryable: false, metadata: { left_behind: `${url}/a` } });
  t.true(stored.has('/a'));
  t.false(asked.some((line) => line.startsWith('DELETE')));
});

test.serial('damaged bytes never become an object', async (t) => {
  const { url, stored } = await serve(t, keeps);
  const { deliver, stored: file } = openBench(t);
  const damaged = Buffer.from(content);
  damaged[1_000_000] = 1;
  writeFileSync(file, damaged);
  t.like(await deliver(`${url}/a`), { reason: 'REASON_IMAGE_CORRUPT', metadata: { expected: ours.digest, actual: digestOf(damaged) } });
  t.is(stored.size, 0);
});

test.serial('redirects that keep the method are followed, each judged as the first address was', async (t) => {
  const elsewhere = await serve(t, keeps);
  for (const status of [307, 308]) {
    const { url } = await serve(t, answersEarly(status), gets);
    const { url: redirecting } = await serve(t, answers(status, { location: `${elsewhere.url}/b${status}` }));
    t.deepEqual(await openBench(t).deliver(`${redirecting}/a`), { location: `${elsewhere.url}/b${status}`, ...ours, verified: true });
    t.like(await openBench(t).deliver(`${url}/a`), { reason: 'REASON_DESTINATION_UNREACHABLE', retryable: false });
  }
  const { url: never } = await serve(t, answers(307, { location: 'http://169.254.169.254/x' }));
  t.like(await openBench(t).deliver(`${never}/a`), { reason: 'REASON_DESTINATION_NOT_ALLOWED' });
  const { url: loop } = await serve(t, answers(308, { location: '/a' }));
  t.like(await openBench(t).deliver(`${loop}/a`), { reason: 'REASON_DESTINATION_UNREACHABLE', retryable: false });
});

test.serial('where a redirect leads to something that exists nothing is sent', async (t) => {
  for (const [bytes, outcome] of [[Buffer.from('x'), { reason: 'REASON_DESTINATION_EXISTS' }], [content, { ...ours, existed: true }]] as const) {
    const elsewhere = await serve(t, keeps);
    elsewhere.stored.set('/b', bytes);
    const { url } = await serve(t, answers(307, { location: `${elsewhere.url}/b` }));
    t.like(await openBench(t).deliver(`${url}/a`), outcome);
    t.deepEqual(elsewhere.asked, ['GET /b']);
  }
});

test.serial('what a redirect led elsewhere is not said to be withdrawn when the first address shows nothing of it', async (t) => {
  const elsewhere = await serve(t, keeps);
  for (const get of [gets, answers(200)]) {
    let isDelivered = false;
    const { url } = await serve(t, answers(307, { location: `${elsewhere.url}/${get === gets ? 'b' : 'c'}` }), (...asked) => (isDelivered ? get : gets)(...asked));
    const { deliver, destinations } = openBench(t);
    const delivered = await deliver(`${url}/a`);
    if (!('location' in delivered)) throw new Error(delivered.message);
    isDelivered = true;
    t.false(await destinations.withdraw({ uri: `${url}/a`, credential: '', owner: 'default' }, delivered, new AbortController().signal));
  }
});

test.serial('a private address that source-allow does not open is not written to', async (t) => {
  const { url, asked } = await serve(t, keeps);
  t.like(await openBench(t, { sourceAllow: [] }).deliver(`${url}/a`), { reason: 'REASON_DESTINATION_NOT_ALLOWED' });
  t.like(await openBench(t, { sourceAllow: [] }).deliver(`${url.replace('127.0.0.1', 'localhost')}/a`), { reason: 'REASON_DESTINATION_NOT_ALLOWED' });
  t.deepEqual(asked, []);
});

test.serial('nobody at the address is a failure that may pass', async (t) => {
  t.like(await openBench(t).deliver('http://127.0.0.1:9/a'), { reason: 'REASON_DESTINATION_UNREACHABLE', retryable: true, metadata: { system_error: 'ECONNREFUSED' } });
});

test.serial('an abort in the middle ends the PUT at once', async (t) => {
  const stop = new AbortController();
  const reason = new Error('stopped by the test');
  const gone = Promise.withResolvers<void>();
  const { url, stored } = await serve(t, (request) => {
    request.resume().once('close', () => gone.resolve());
    seen = true;
  });
  let seen = false;
  const progress = (): void => {
    if (seen) stop.abort(reason);
  };
  t.is(await t.throwsAsync(openBench(t).deliver(`${url}/a`, { signal: stop.signal, progress })), reason);
  await gone.promise;
  t.is(stored.size, 0);
});

test.serial('an abort that comes when all was sent waits for the answer, so that what is there is known', async (t) => {
  const stop = new AbortController();
  const { url } = await serve(t, async (request, response, stored) => {
    await bodyOf(request).then((bytes) => stored.set('/a', bytes));
    stop.abort(new Error('stopped by the test'));
    setImmediate(() => response.writeHead(201).end());
  });
  t.deepEqual(await openBench(t).deliver(`${url}/a`, { signal: stop.signal }), { location: `${url}/a`, ...ours, verified: false });
});

test.serial('what was delivered is withdrawn where it is still the same; what took its place, or cannot be read, stays', async (t) => {
  const { url, stored } = await serve(t, keeps, (request, response, kept) => (request.url === '/secret' ? answers(403)(request, response, kept) : gets(request, response, kept)));
  const { deliver, destinations } = openBench(t);
  const { signal } = new AbortController();
  const withdraw = async (path: string, change: () => void): Promise<boolean> => {
    const delivered = await deliver(`${url}${path}`);
    if (!('location' in delivered)) throw new Error(delivered.message);
    change();
    return destinations.withdraw({ uri: `${url}${path}`, credential: '', owner: 'default' }, delivered, signal);
  };
  t.true(await withdraw('/a', () => undefined));
  t.false(stored.has('/a'));
  t.true(await withdraw('/b', () => stored.set('/b', Buffer.from('another'))));
  t.is(stored.get('/b')?.toString(), 'another');
  t.false(await withdraw('/secret', () => undefined));
  t.true(stored.has('/secret'));
});
