import { once } from 'node:events';
import { request as ask } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';

import test from 'ava';

import { ApiError } from '../../../src/api/api-error.ts';
import type { Call } from '../../../src/api/call.ts';
import type { HttpHandle, HttpOptions } from '../../../src/api/http/start-http.ts';
import { startHttp } from '../../../src/api/http/start-http.ts';
import { Image } from '../../../src/gen/lehr/v1/image.ts';
import { enveloped, post, toldByConnect } from '../doors-clients.ts';
import type { LogEntry } from '../doors-stub.ts';
import { aborted, keptLog, stubServices } from '../doors-stub.ts';

interface Running {
  readonly http: HttpHandle;
  readonly base: string;
  readonly log: readonly LogEntry[];
}

const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
const digest = 'sha256:3c8d7d5fdd3a3d2e1bb3ddee3f5c1cf1d8b4f7a9cf0f2c1c5ad32e0a3e3f4b5c';
const etag = `"${digest}"`;
const image = Image.create({ id: 'i1', name: 'disk', format: 'DISK_FORMAT_QCOW2', sizeBytes: BigInt(bytes.length), digest });

/** The stored image `i1`; says how it was let go of. */
function storedImage() {
  const used: string[] = [];
  const openImage: HttpOptions['openImage'] = async (id) => {
    if (id !== image.id) throw new ApiError('NOT_FOUND', 'IMAGE_NOT_FOUND', `There is no image ${id}.`);
    return {
      image,
      read: async (target, position) => {
        used.push(`read ${position}-${position + target.length}`);
        return bytes.copy(target, 0, position);
      },
      close: async () => void used.push('closed'),
    };
  };
  return { used, openImage };
}

async function serving(options: Partial<HttpOptions>, act: (running: Running) => Promise<void>): Promise<void> {
  const logger = keptLog();
  const http = await startHttp({
    services: stubServices(), host: '127.0.0.1', port: 0, logger, newIncidentId: () => 'i1', openImage: storedImage().openImage,
    readiness: () => [], metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'lehr_up 1\n' }), ...options,
  });
  try {
    await act({ http, base: `http://127.0.0.1:${http.port}`, log: logger.entries });
  } finally {
    await http.stop(0);
  }
}

const etagged = {
  etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache',
  digest: 'sha-256=PI19X906PS4bs93uP1wc8di096nPDywcWtMuCj4/S1w=', 'repr-digest': 'sha-256=:PI19X906PS4bs93uP1wc8di096nPDywcWtMuCj4/S1w=:',
};
const octets = { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment; filename="disk.qcow2"' };

interface Download {
  readonly name: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly answered: Readonly<Record<string, string>>;
  readonly body?: readonly [start: number, end: number];
}

const whole = { status: 200, answered: { ...etagged, ...octets, 'content-length': '1000' } };
const part = (start: number, end: number): Omit<Download, 'name'> => ({
  status: 206,
  answered: { ...etagged, ...octets, 'content-length': String(end - start), 'content-range': `bytes ${start}-${end - 1}/1000` },
  body: [start, end],
});

const downloads: readonly Download[] = [
  { name: 'a download', ...whole, body: [0, 1000] },
  { name: 'HEAD', method: 'HEAD', ...whole },
  { name: 'HEAD with a range', method: 'HEAD', headers: { range: 'bytes=1-2' }, ...whole },
  { name: 'a range', headers: { range: 'bytes=10-19' }, ...part(10, 20) },
  { name: 'a range to the end', headers: { range: 'bytes=990-' }, ...part(990, 1000) },
  { name: 'the last bytes', headers: { range: 'bytes=-5' }, ...part(995, 1000) },
  { name: 'two ranges', headers: { range: 'bytes=0-1,5-6' }, ...whole, body: [0, 1000] },
  { name: 'a range of these bytes', headers: { range: 'bytes=10-19', 'if-range': etag }, ...part(10, 20) },
  { name: 'a range of other bytes', headers: { range: 'bytes=10-19', 'if-range': '"other"' }, ...whole, body: [0, 1000] },
  { name: 'a range weakly of these bytes', headers: { range: 'bytes=10-19', 'if-range': `W/${etag}` }, ...whole, body: [0, 1000] },
  { name: 'a range since a date', headers: { range: 'bytes=10-19', 'if-range': 'Sat, 01 Jan 2028 00:00:00 GMT' }, ...whole, body: [0, 1000] },
  { name: 'bytes that the client has', headers: { 'if-none-match': `"x", W/${etag}` }, status: 304, answered: etagged },
  { name: 'any bytes but those', headers: { 'if-none-match': '*' }, status: 304, answered: etagged },
  { name: 'a range of bytes that the client has', headers: { 'if-none-match': etag, range: 'bytes=1-2' }, status: 304, answered: etagged },
  { name: 'bytes other than the client has', headers: { 'if-none-match': '"x"' }, ...whole, body: [0, 1000] },
  { name: 'a range behind the end', headers: { range: 'bytes=1000-' }, status: 416,
    answered: { 'content-range': 'bytes */1000', 'content-type': 'application/json' } },
];

const told = ['etag', 'accept-ranges', 'cache-control', 'digest', 'repr-digest', 'content-type', 'content-disposition', 'content-range'];

for (const { name, method = 'GET', headers = {}, status, answered, body } of downloads) {
  test(`${name} is answered with ${status}`, async (t) => {
    const { used, openImage } = storedImage();
    await serving({ openImage }, async ({ base }) => {
      const response = await fetch(`${base}/images/i1/data`, { method, headers });
      const got = Buffer.from(await response.arrayBuffer());
      t.is(response.status, status);
      t.deepEqual(Object.fromEntries([...response.headers].filter(([key]) => told.includes(key) || (key === 'content-length' && status < 300))), answered);
      t.is(response.headers.get('x-content-type-options'), 'nosniff');
      if (status !== 416) t.deepEqual(got, body === undefined ? Buffer.alloc(0) : Buffer.from(bytes.subarray(...body)));
      t.deepEqual(used, [...(body === undefined ? [] : [`read ${body[0]}-${body[1]}`]), 'closed']);
    });
  });
}

test('a range behind the end is refused in the shape of every error', async (t) => {
  await serving({}, async ({ base }) => {
    const refusal = await toldByConnect(await fetch(`${base}/images/i1/data`, { headers: { range: 'bytes=1000-' } }));
    t.deepEqual({ code: refusal.code, infos: refusal.infos }, { code: 11, infos: [{ reason: 'RANGE_NOT_SATISFIABLE', domain: 'lehr', metadata: {} }] });
  });
});

for (const id of ['i2', '%ff', '..%2f..', '%00']) {
  test(`the image ${id} is not found, in the shape of every error`, async (t) => {
    await serving({}, async ({ base }) => {
      const response = await fetch(`${base}/images/${id}/data`);
      t.is(response.status, 404);
      t.deepEqual((await toldByConnect(response)).infos, [{ reason: 'IMAGE_NOT_FOUND', domain: 'lehr', metadata: {} }]);
    });
  });
}

/** Reads an answer to its end, whichever that is. */
function readAll(url: string): Promise<{ readonly status: number | undefined; readonly bytes: number; readonly complete: boolean }> {
  return new Promise((resolve, reject) => {
    ask(url, (response: IncomingMessage) => {
      let count = 0;
      response.on('data', (piece: Buffer) => {
        count += piece.length;
      });
      response.on('error', () => undefined);
      response.on('close', () => resolve({ status: response.statusCode, bytes: count, complete: response.complete }));
    }).on('error', reject).end();
  });
}

type Read = Awaited<ReturnType<HttpOptions['openImage']>>['read'];

const brokenReads: Readonly<Record<string, Read>> = {
  'fails on the way': async (target, position) => {
    if (position > 0) throw new Error('EIO: /secret/path');
    return bytes.copy(target, 0, 0, 100);
  },
  'ends too early': async (target, position) => (position > 0 ? 0 : bytes.copy(target, 0, 0, 100)),
};

for (const [how, read] of Object.entries(brokenReads)) {
  test(`a client notices that a store ${how}, and the log says so`, async (t) => {
    const openImage: HttpOptions['openImage'] = async () => ({ image, read, close: async () => undefined });
    await serving({ openImage }, async ({ base, log }) => {
      const { complete } = await readAll(`${base}/images/i1/data`);
      t.false(complete);
      t.is(log.length, 1);
      t.is((log[0]?.fields as { err: Error }).err.message, 'The download of image i1 broke off on this side.');
    });
  });
}

/** An image of a TiB whose bytes come as fast as they are taken, and what tells that it was closed. */
function endlessImage() {
  const closed = Promise.withResolvers<void>();
  const large = Image.create({ ...image, sizeBytes: 2n ** 40n });
  const openImage: HttpOptions['openImage'] = async () => ({
    image: large, read: async (target) => target.fill(0).length, close: async () => closed.resolve(),
  });
  return { destruction: closed.promise, openImage };
}

test('a client who leaves a download ends the read, and is no fault', async (t) => {
  const { destruction, openImage } = endlessImage();
  await serving({ openImage }, async ({ base, log }) => {
    const controller = new AbortController();
    const response = await fetch(`${base}/images/i1/data`, { signal: controller.signal });
    t.is(response.headers.get('content-length'), '1099511627776');
    controller.abort();
    await destruction;
    t.deepEqual(log, []);
  });
});

test('a client who reads nothing of a download is cut off', async (t) => {
  const { destruction, openImage } = endlessImage();
  await serving({ openImage, idleTimeoutMs: 200 }, async ({ http, log }) => {
    const socket = connect(http.port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET /images/i1/data HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'readable');
    await destruction;
    t.deepEqual(log, []);
    socket.destroy();
  });
});

test('a download is cut off when the grace of a stopping server ends', async (t) => {
  const { destruction, openImage } = endlessImage();
  await serving({ openImage }, async ({ http, base, log }) => {
    const { body } = await fetch(`${base}/images/i1/data`);
    const stopped = http.stop(100);
    await destruction;
    await stopped;
    await t.throwsAsync(async () => {
      for await (const _piece of body!) continue;
    });
    t.deepEqual(log, []);
  });
});

test('operators see health, readiness and metrics', async (t) => {
  let reasons = ['The projections are 40 records behind.'];
  await serving({ readiness: () => reasons }, async ({ base }) => {
    const shown = async (path: string): Promise<unknown> => {
      const response = await fetch(base + path);
      return [response.status, response.headers.get('content-type'), await response.text()];
    };
    t.deepEqual(await shown('/healthz'), [200, 'application/json', '{"status":"ok"}\n']);
    t.deepEqual(await shown('/readyz'), [503, 'application/json', '{"status":"not ready","reasons":["The projections are 40 records behind."]}\n']);
    reasons = [];
    t.deepEqual(await shown('/readyz'), [200, 'application/json', '{"status":"ready"}\n']);
    t.deepEqual(await shown('/metrics'), [200, 'text/plain; version=0.0.4', 'lehr_up 1\n']);
    const [status, type, text] = await shown('/') as [number, string, string];
    t.deepEqual([status, type], [200, 'text/plain; charset=utf-8']);
    t.true(text.includes('/lehr.v1.TaskService/CreateTask'));
  });
});

const misses: readonly (readonly [method: string, path: string, status: number, reason: string, allow?: string])[] = [
  ['GET', '/nope', 404, 'PATH_UNKNOWN'],
  ['GET', '//evil.example/', 404, 'PATH_UNKNOWN'],
  ['GET', '/images/i1', 404, 'PATH_UNKNOWN'],
  ['POST', '/lehr.v1.TaskService/Nope', 404, 'METHOD_UNKNOWN'],
  ['POST', '/lehr.v2.TaskService/GetTask', 404, 'METHOD_UNKNOWN'],
  ['POST', '/healthz', 405, 'HTTP_METHOD_NOT_ALLOWED', 'GET, HEAD'],
  ['DELETE', '/images/i1/data', 405, 'HTTP_METHOD_NOT_ALLOWED', 'GET, HEAD'],
  ['OPTIONS', '/lehr.v1.TaskService/GetTask', 405, 'HTTP_METHOD_NOT_ALLOWED', 'POST, GET'],
  ['GET', '/lehr.v1.TaskService/CancelTask?encoding=json&message={}', 405, 'HTTP_METHOD_NOT_ALLOWED', 'POST'],
];

for (const [method, path, status, reason, allow] of misses) {
  test(`${method} ${path} is answered with ${status}, ${reason}`, async (t) => {
    await serving({}, async ({ base }) => {
      const response = await fetch(base + path, { method });
      t.is(response.status, status);
      t.is(response.headers.get('allow'), allow ?? null);
      t.deepEqual((await toldByConnect(response)).infos.map((info) => info.reason), [reason]);
    });
  });
}

test('a fault of the server says nothing of its cause', async (t) => {
  const metrics = async (): Promise<never> => {
    throw new Error('open /secret/path');
  };
  await serving({ metrics }, async ({ base, log }) => {
    const response = await fetch(`${base}/metrics`);
    t.is(response.status, 500);
    const text = await response.text();
    t.false(text.includes('secret'));
    t.true(text.includes('"incident_id":"i1"'));
    t.is(log.length, 1);
  });
});

test('pages of allowed origins may call, others may not', async (t) => {
  await serving({ allowedOrigins: ['https://console.example'] }, async ({ base }) => {
    const from = (origin: string, method: string): Promise<Response> => fetch(`${base}/lehr.v1.TaskService/GetTask`, {
      method, headers: { origin, 'content-type': 'application/json' }, ...(method === 'POST' ? { body: '{"id":"a"}' } : {}),
    });
    const preflight = await from('https://console.example', 'OPTIONS');
    t.is(preflight.status, 204);
    t.is(preflight.headers.get('access-control-allow-origin'), 'https://console.example');
    t.is(preflight.headers.get('access-control-allow-methods'), 'POST, GET');
    const call = await from('https://console.example', 'POST');
    t.is(call.status, 200);
    t.is(call.headers.get('access-control-allow-origin'), 'https://console.example');
    for (const method of ['OPTIONS', 'POST']) {
      const stranger = await from('https://evil.example', method);
      t.is(stranger.status, 403);
      t.is(stranger.headers.get('access-control-allow-origin'), null);
    }
  });
});

test('a request by a foreign host name is refused with the remedy', async (t) => {
  await serving({}, async ({ http }) => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      ask({ port: http.port, host: '127.0.0.1', path: '/lehr.v1.TaskService/GetTask', method: 'POST', setHost: false,
        headers: { host: `rebound.evil.example:${http.port}`, 'content-type': 'application/json' } }, resolve).on('error', reject).end('{}');
    });
    const [piece] = await once(response, 'data') as [Buffer];
    t.is(response.statusCode, 403);
    t.regex(piece.toString(), /HOST_NOT_ALLOWED/);
    t.regex(piece.toString(), /localhost/);
  });
});

test('the headers of a request name the owner, of a download too', async (t) => {
  const owners: string[] = [];
  const services = stubServices({ tasks: { getTask: async (_request, call) => {
    owners.push(call.owner);
    return { task: undefined };
  } } });
  const openImage: HttpOptions['openImage'] = async (id, call) => {
    owners.push(call.owner);
    return await storedImage().openImage(id, call);
  };
  const authenticate: HttpOptions['authenticate'] = async (header) => {
    const token = header('authorization');
    if (token === undefined) throw new ApiError('UNAUTHENTICATED', 'TOKEN_MISSING', 'Send a token.');
    return token;
  };
  await serving({ services, openImage, authenticate }, async ({ base }) => {
    const headers = { authorization: 'carol', 'content-type': 'application/json' };
    await fetch(`${base}/lehr.v1.TaskService/GetTask`, { method: 'POST', headers, body: '{}' });
    await fetch(`${base}/images/i1/data`, { headers });
    t.deepEqual(owners, ['carol', 'carol']);
    for (const response of [await post(`${base}/lehr.v1.TaskService/GetTask`, 'application/json', '{'), await fetch(`${base}/images/i1/data`)]) {
      t.is(response.status, 401);
      t.deepEqual((await toldByConnect(response)).infos.map(({ reason }) => reason), ['TOKEN_MISSING']);
    }
  });
});

test('a server that stops answers what is open and closes its connections', async (t) => {
  let release: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked: () => void;
  const asking = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const services = stubServices({ tasks: { getTask: async () => {
    asked();
    await released;
    return { task: undefined };
  } } });
  await serving({ services }, async ({ http, base }) => {
    const call = post(`${base}/lehr.v1.TaskService/GetTask`, 'application/json', '{}');
    await asking;
    const stopped = http.stop(60_000);
    release();
    t.is((await call).status, 200);
    await t.notThrowsAsync(stopped);
    await t.throwsAsync(fetch(`${base}/healthz`));
  });
});

test('at the end of the grace the callers of open streams are told, and downloads are cut off', async (t) => {
  let watching: (call: Call) => void;
  const watch = new Promise<Call>((resolve) => {
    watching = resolve;
  });
  const services = stubServices({ tasks: { async *watchTasks(_request, call) {
    watching(call);
    yield { message: { $case: 'bookmark', value: { resumeToken: 'b' } } };
    throw await aborted(call);
  } } });
  await serving({ services }, async ({ http, base }) => {
    const response = await post(`${base}/lehr.v1.TaskService/WatchTasks`, 'application/connect+json', enveloped('{}'));
    const { signal } = await watch;
    await http.stop(10);
    t.is((signal.reason as ApiError).reason, 'SERVER_STOPPING');
    t.regex(await response.text(), /"code":"unavailable".*"SERVER_STOPPING"/);
  });
});

test('a port that is taken is refused by name', async (t) => {
  await serving({}, async ({ http }) => {
    await t.throwsAsync(serving({ port: http.port }, async () => undefined), { message: new RegExp(`^Cannot listen for HTTP on 127\\.0\\.0\\.1, port ${http.port}: `) });
  });
});
