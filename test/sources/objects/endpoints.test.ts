import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import test from 'ava';

import { Endpoints } from '../../../src/sources/objects/endpoints.ts';

const urlOf = (index: number): URL => new URL(`http://bucket-${index}.s3.example`);

test('of ever more origins a bounded number is remembered, and those that are in use among them', async (t) => {
  const endpoints = new Endpoints(1_000);
  t.teardown(() => endpoints.close());
  const used = endpoints.connectionsTo(urlOf(0));
  const lent = used.lend(urlOf(0).origin, true);
  const unused = endpoints.connectionsTo(urlOf(1));
  for (let index = 2; index < 300; index += 1) endpoints.connectionsTo(urlOf(index));
  t.is(endpoints.originCount, 64);
  t.is(endpoints.connectionsTo(urlOf(0)), used);
  t.not(endpoints.connectionsTo(urlOf(1)), unused);
  used.discard(lent);
});

test('a request with a body is not sent again where the connection was closed without an answer', async (t) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.method ?? '');
    if (request.method === 'PUT') response.destroy();
    else response.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoints = new Endpoints(10_000);
  t.teardown(async () => {
    await endpoints.close();
    server.close();
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const never = new AbortController().signal;
  t.is((await endpoints.ask({ method: 'GET', url, headers: {} }, url, never)).status, 200);
  await t.throwsAsync(endpoints.ask({ method: 'PUT', url, headers: { 'content-length': '1' }, body: Buffer.from('x') }, url, never), { name: 'EndpointError' });
  t.deepEqual(asked, ['GET', 'PUT']);
});
