import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import test from 'ava';
import { createSources } from '../../src/sources/create-sources.ts';
import { HttpConnections } from '../../src/sources/http-connections.ts';
import { readHttpSource } from '../../src/sources/read-http-source.ts';
import { openly } from '../../src/sources/source.ts';
import { closed, startBadServer } from './bad-server.ts';
import { keepingReceiver, readFailing, settings } from './read.ts';
import type { FailedRead } from './read.ts';

const body = Buffer.alloc(1_000_000, 'lehr');
const never = new AbortController().signal;

function nothing(_done: void): undefined {
  return undefined;
}

function sendPart(response: ServerResponse, sizeBytes: number, then: () => void): void {
  response.writeHead(200, { 'content-length': body.length });
  response.write(body.subarray(0, sizeBytes), then);
}

const failing: readonly {
  readonly what: string;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  readonly fails: Partial<FailedRead>;
  readonly idleTimeoutMs?: number;
  readonly says?: RegExp;
}[] = [
  {
    what: 'stalls before its header',
    idleTimeoutMs: 900,
    answer: () => undefined,
    fails: { reason: 'REASON_SOURCE_TOO_SLOW', retryable: true, metadata: { system_error: 'UND_ERR_HEADERS_TIMEOUT' } },
  },
  {
    what: 'stalls in mid-body',
    idleTimeoutMs: 900,
    answer: (_, response) => sendPart(response, 500_000, () => undefined),
    fails: {
      reason: 'REASON_SOURCE_TOO_SLOW',
      retryable: true,
      metadata: { bytes_received: '500000', bytes_expected: '1000000', system_error: 'UND_ERR_BODY_TIMEOUT' },
    },
  },
  {
    what: 'drops the connection without an answer',
    answer: (request) => request.socket.destroy(),
    fails: { reason: 'REASON_SOURCE_UNREACHABLE', retryable: true, metadata: { system_error: 'UND_ERR_SOCKET' } },
  },
  {
    what: 'resets the connection without an answer',
    answer: (request) => request.socket.resetAndDestroy(),
    fails: { reason: 'REASON_SOURCE_UNREACHABLE', retryable: true, metadata: { system_error: 'ECONNRESET' } },
  },
  ...[100_000, 500_000, 990_000].map((sizeBytes) => ({
    what: `drops the connection after ${sizeBytes / 10_000} %`,
    answer: (_: IncomingMessage, response: ServerResponse): void => sendPart(response, sizeBytes, () => response.socket?.end()),
    fails: {
      reason: 'REASON_SOURCE_TRUNCATED',
      retryable: true,
      metadata: { bytes_received: String(sizeBytes), bytes_expected: '1000000', system_error: 'UND_ERR_SOCKET' },
    },
  })),
  {
    what: 'aborts a chunked body',
    answer: (_, response) => void response.write('first', () => response.socket?.end()),
    fails: { reason: 'REASON_SOURCE_TRUNCATED', retryable: true, metadata: { bytes_received: '5', system_error: 'UND_ERR_SOCKET' } },
  },
  {
    what: 'sends more than it announced',
    answer: (_, response) => {
      response.strictContentLength = false;
      response.writeHead(200, { 'content-length': 10 });
      response.end('0123456789 and more');
    },
    fails: { reason: 'REASON_SOURCE_CHANGED', retryable: true, metadata: { bytes_expected: '10' } },
  },
  ...['HTTP/1.1 200 OK\r\nConnection: close', 'HTTP/1.0 200 OK'].map((status) => ({
    what: `sends more than it announced, and then closes (${status.slice(0, 8)})`,
    answer: ({ socket }: IncomingMessage): void => void socket.end(`${status}\r\nContent-Length: 10\r\n\r\n0123456789 and more`),
    fails: { reason: 'REASON_SOURCE_CHANGED', retryable: true, metadata: { bytes_expected: '10' } },
  })),
  {
    what: 'announces two lengths',
    answer: ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 5\r\n\r\n0123456789'),
    fails: { reason: 'REASON_SOURCE_ERROR', retryable: false, metadata: { system_error: 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' } },
    says: /no valid HTTP response/,
  },
  {
    what: 'announces more than the limit',
    answer: (_, response) => {
      response.writeHead(200, { 'content-length': 5_000_000_000 });
      response.flushHeaders();
    },
    fails: {
      reason: 'REASON_SOURCE_TOO_LARGE',
      retryable: false,
      metadata: { bytes: '5000000000', max_image_bytes: '4194304' },
    },
  },
  {
    what: 'encodes the content',
    answer: (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end('x');
    },
    fails: { reason: 'REASON_SOURCE_ERROR', retryable: false, metadata: { content_encoding: 'gzip' } },
    says: /encoded as gzip/,
  },
  {
    what: 'encodes the transfer',
    answer: (_, response) => {
      response.writeHead(200, { 'transfer-encoding': 'gzip, chunked' });
      response.end('x');
    },
    fails: { reason: 'REASON_SOURCE_ERROR', retryable: false, metadata: { content_encoding: 'gzip, chunked' } },
  },
  {
    what: 'announces no valid length',
    answer: (request) => request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n'),
    fails: { reason: 'REASON_SOURCE_ERROR', retryable: false, metadata: { system_error: 'HTTPParserError' } },
  },
  {
    what: 'redirects in a circle',
    answer: (request, response) => void response.writeHead(302, { location: request.url }).end(),
    fails: { reason: 'REASON_SOURCE_ERROR', retryable: false, metadata: {} },
    says: /redirects more than 5 times/,
  },
  {
    what: 'redirects to a metadata service',
    answer: (_, response) => void response.writeHead(307, { location: 'http://169.254.169.254/latest' }).end(),
    fails: { reason: 'REASON_SOURCE_NOT_ALLOWED', retryable: false, metadata: {} },
  },
  {
    what: 'redirects to a file',
    answer: (_, response) => void response.writeHead(301, { location: 'file:///etc/passwd' }).end(),
    fails: { reason: 'REASON_SOURCE_NOT_ALLOWED', retryable: false, metadata: {} },
  },
  ...([
    [404, 'REASON_SOURCE_NOT_FOUND', false],
    [410, 'REASON_SOURCE_NOT_FOUND', false],
    [401, 'REASON_SOURCE_FORBIDDEN', false],
    [403, 'REASON_SOURCE_FORBIDDEN', false],
    [400, 'REASON_SOURCE_ERROR', false],
    [416, 'REASON_SOURCE_ERROR', false],
    [206, 'REASON_SOURCE_ERROR', false],
    [204, 'REASON_SOURCE_ERROR', false],
    [304, 'REASON_SOURCE_ERROR', false],
    [408, 'REASON_SOURCE_ERROR', true],
    [425, 'REASON_SOURCE_ERROR', true],
    [429, 'REASON_SOURCE_ERROR', true],
    [500, 'REASON_SOURCE_ERROR', true],
    [503, 'REASON_SOURCE_ERROR', true],
  ] as const).map(([status, reason, retryable]) => ({
    what: `answers ${status}`,
    answer: (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(status).end(),
    fails: { reason, retryable, metadata: { http_status: String(status) } },
  })),
  ...([
    ['120', '120'],
    ['Thu, 01 Jan 2026 00:01:00 GMT', '60'],
    ['Thu, 01 Jan 2020 00:00:00 GMT', '0'],
    ['999999999', '86400'],
  ] as const).map(([header, seconds]) => ({
    what: `answers 503 with Retry-After ${header}`,
    answer: (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(503, { 'retry-after': header }).end(),
    fails: { reason: 'REASON_SOURCE_ERROR', retryable: true, metadata: { http_status: '503', retry_after_seconds: seconds } },
  })),
];

for (const { what, answer, fails, idleTimeoutMs, says } of failing) {
  test(`a source that ${what} is ${String(fails.reason)}`, async (t) => {
    const { origin } = await startBadServer(t, answer);
    const { message, ...failed } = await readFailing(`${origin}/disk?token=secret`, idleTimeoutMs === undefined ? {} : { idleTimeoutMs });
    t.deepEqual(failed, fails);
    t.regex(message, says ?? /./);
    t.notRegex(message, /secret/);
  });
}

test('a source that resets the connection in mid-body is truncated', async (t) => {
  const { origin } = await startBadServer(t, (_, response) => sendPart(response, 500_000, () => response.socket?.resetAndDestroy()));
  const { reason, retryable } = await readFailing(`${origin}/disk`);
  t.deepEqual({ reason, retryable }, { reason: 'REASON_SOURCE_TRUNCATED', retryable: true });
});

test('a source that grows beyond the limit is cut off', async (t) => {
  const { origin, sockets } = await startBadServer(t, (_, response) => {
    const pump = (): void => {
      while (response.write(body));
      response.once('drain', pump);
    };
    pump();
  });
  const { reason, retryable } = await readFailing(`${origin}/disk`);
  t.deepEqual({ reason, retryable }, { reason: 'REASON_SOURCE_TOO_LARGE', retryable: false });
  const [socket] = sockets;
  await closed(socket!);
  t.true(socket!.bytesWritten < 64 * 1024 * 1024, `${socket!.bytesWritten} bytes were sent`);
});

test('a source that is not there is unreachable, and the message names the system\'s error', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  t.deepEqual(await readFailing(`http://127.0.0.1:${port}/disk`), {
    reason: 'REASON_SOURCE_UNREACHABLE',
    retryable: true,
    metadata: { system_error: 'ECONNREFUSED' },
    message: `http://127.0.0.1:${port}/disk refused or dropped the connection (ECONNREFUSED). Check that the source is up.`,
  });
});

test('https on a port that speaks http names TLS', async (t) => {
  const { origin } = await startBadServer(t, (_, response) => void response.end());
  const { reason, message } = await readFailing(origin.replace('http:', 'https:'));
  t.is(reason, 'REASON_SOURCE_UNREACHABLE');
  t.regex(message, /No TLS connection/);
});

for (const [name, addresses] of [
  ['a link-local address', [{ address: '169.254.169.254', family: 4 }]],
  ['a good and a link-local address', [{ address: '127.0.0.1', family: 4 }, { address: 'fe80::1', family: 6 }]],
] as const) {
  test(`a name that resolves to ${name} is refused, and nothing is contacted`, async (t) => {
    const { origin, sockets } = await startBadServer(t, (_, response) => void response.end());
    const connections = new HttpConnections(settings.idleTimeoutMs, settings.sourceAllow, (_, done) => done(null, addresses));
    const url = new URL(origin.replace('127.0.0.1', 'innocent.example'));
    const error = await t.throwsAsync(readHttpSource(url, undefined, settings, connections, keepingReceiver(), never));
    t.like(error, { failure: { reason: 'REASON_SOURCE_NOT_ALLOWED', retryable: false } });
    t.deepEqual(sockets, []);
    await connections.close();
  });
}

test('the content comes whole, with what the source says of it, through redirects', async (t) => {
  const { origin } = await startBadServer(t, (request, response) => {
    if (request.url !== '/there?x=1') return void response.writeHead(302, { location: '/there?x=1' }).end('moved');
    t.like(request.headers, { 'accept-encoding': 'identity', 'user-agent': 'lehr' });
    response.writeHead(200, {
      'content-length': body.length,
      etag: '"v1"',
      'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
      'content-type': 'application/octet-stream',
    });
    response.end(body);
  });
  const sources = createSources(settings);
  const receiver = keepingReceiver();
  await sources.read(openly(`${origin}/here`), receiver, never);
  t.true(receiver.bytes().equals(body));
  t.deepEqual(receiver.starts, [
    {
      offsetBytes: 0,
      sizeBytes: body.length,
      validators: { etag: '"v1"', lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT' },
      facts: {
        host: origin.slice('http://'.length),
        etag: '"v1"',
        last_modified: 'Thu, 01 Jan 2026 00:00:00 GMT',
        content_type: 'application/octet-stream',
      },
    },
  ]);
  await sources.close();
});

test('a receiver that takes its time gets every byte once, from a chunked source too', async (t) => {
  const { origin } = await startBadServer(t, (_, response) => {
    for (let at = 0; at < body.length; at += 9_999) response.write(body.subarray(at, at + 9_999));
    response.end();
  });
  const sources = createSources(settings);
  const chunks: Buffer[] = [];
  let taking = 0;
  await sources.read(openly(`${origin}/disk`), {
    begin: (start) => t.is(start.sizeBytes, undefined),
    receive(chunk) {
      t.is(taking, 0);
      chunks.push(Buffer.from(chunk));
      taking += 1;
      return new Promise((resolve) => setImmediate(() => setImmediate(() => {
        taking -= 1;
        resolve();
      })));
    },
  }, never);
  t.true(Buffer.concat(chunks).equals(body));
  await sources.close();
});

test('connections are used again, and one that the server has dropped does not fail the next import', async (t) => {
  let requests = 0;
  const { origin, sockets } = await startBadServer(t, (request, response) => {
    requests += 1;
    if (requests === 3) return void request.socket.destroy();
    response.writeHead(200, { 'content-length': body.length });
    response.end(body);
  });
  const sources = createSources(settings);
  for (const expectedSockets of [1, 1, 2]) {
    // The third import meets a dropped connection and asks again on a fresh one.
    const receiver = keepingReceiver();
    await sources.read(openly(`${origin}/disk`), receiver, never);
    t.true(receiver.bytes().equals(body));
    t.is(sockets.length, expectedSockets === 2 ? 2 : 1);
  }
  t.is(requests, 4);
  await sources.close();
});

test('an abort ends the reading with its reason and closes the socket', async (t) => {
  const { origin, sockets } = await startBadServer(t, (_, response) => sendPart(response, 500_000, () => undefined));
  const sources = createSources(settings);
  const canceled = new Error('canceled');
  const abort = new AbortController();
  const reading = sources.read(openly(`${origin}/disk`), { begin: () => undefined, receive: () => nothing(abort.abort(canceled)) }, abort.signal);
  t.is(await t.throwsAsync(reading), canceled);
  const [socket] = sockets;
  await closed(socket!);
  t.true(socket?.closed);
  await sources.close();
});

test('an abort before the answer ends the reading too', async (t) => {
  const abort = new AbortController();
  const canceled = new Error('canceled');
  const { origin, sockets } = await startBadServer(t, () => abort.abort(canceled));
  const sources = createSources(settings);
  t.is(await t.throwsAsync(sources.read(openly(`${origin}/disk`), keepingReceiver(), abort.signal)), canceled);
  await closed(sockets[0]!);
  t.true(sockets[0]?.closed);
  await sources.close();
});
