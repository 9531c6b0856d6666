import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { startTcpProxy } from '../../scripts/servers/tcp-proxy.ts';
import type { TcpProxy } from '../../scripts/servers/tcp-proxy.ts';

/** A proxy before a server that sends everything back; `received` resolves with what the server gets next. */
async function proxiedEcho(t: ExecutionContext): Promise<{ proxy: TcpProxy; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startTcpProxy((server.address() as AddressInfo).port);
  t.teardown(async () => {
    await proxy.stop();
    server.close();
  });
  return { proxy, sockets };
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket;
}

async function echoed(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

test('a proxy passes everything on in both directions, and the end too', async (t) => {
  const { proxy } = await proxiedEcho(t);
  const socket = await open(proxy.port);
  const sent = Buffer.alloc(4 * 2 ** 20, 'x');
  socket.end(sent);
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  t.true(Buffer.concat(chunks).equals(sent));
});

test('a cut proxy resets its connections and refuses new ones until it is resumed', async (t) => {
  const { proxy } = await proxiedEcho(t);
  const socket = await open(proxy.port);
  t.is(await echoed(socket, 'one'), 'one');
  const reset = once(socket, 'error');
  await proxy.cut();
  await reset.then(
    ([error]) => t.is((error as NodeJS.ErrnoException).code, 'ECONNRESET'),
  );
  await t.throwsAsync(open(proxy.port), { code: 'ECONNREFUSED' });
  await proxy.resume();
  const later = await open(proxy.port);
  t.is(await echoed(later, 'two'), 'two');
  later.destroy();
});

test('a hanging proxy keeps and accepts connections, and passes nothing until it is resumed', async (t) => {
  const { proxy, sockets } = await proxiedEcho(t);
  const before = await open(proxy.port);
  t.is(await echoed(before, 'one'), 'one');
  const [atServer] = sockets;

  proxy.hang();
  const during = await open(proxy.port);
  const answers = Promise.all([echoed(before, 'two'), echoed(during, 'three')]);
  // What the server says does come nowhere either; a third connection, past the proxy's two, shows that time went by.
  atServer!.write('unasked ');
  const third = await open(proxy.port);
  t.deepEqual([before, during].map((socket) => socket.readableLength + socket.bytesRead), ['one'.length, 0]);

  await proxy.resume();
  t.deepEqual(await answers, ['unasked ', 'three']);
  for (const socket of [before, during, third]) socket.destroy();
});
