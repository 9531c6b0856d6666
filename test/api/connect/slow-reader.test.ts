import { once } from 'node:events';
import { connect } from 'node:net';

import test from 'ava';

import { startHttp } from '../../../src/api/http/start-http.ts';
import { WatchTasksResponse } from '../../../src/gen/lehr/v1/task_service.ts';
import { enveloped } from '../doors-clients.ts';
import { keptLog, stubServices } from '../doors-stub.ts';

test('a reader who stops reading holds a stream up, and is cut off in the end', async (t) => {
  const message = WatchTasksResponse.create({ message: { $case: 'bookmark', value: { resumeToken: 'x'.repeat(100_000) } } });
  let askedBytes = 0;
  let left: () => void;
  const leaving = new Promise<void>((resolve) => {
    left = resolve;
  });
  const services = stubServices({ tasks: { async *watchTasks() {
    try {
      for (;;) {
        askedBytes += 100_000;
        yield message;
      }
    } finally {
      left();
    }
  } } });
  const logger = keptLog();
  const http = await startHttp({
    services, host: '127.0.0.1', port: 0, logger, readiness: () => [], metrics: async () => ({ contentType: '', text: '' }), idleTimeoutMs: 200,
    openImage: () => Promise.reject(new Error('unused')),
  });
  const socket = connect(http.port, '127.0.0.1').on('error', () => undefined);
  const body = enveloped('{}');
  socket.write('POST /lehr.v1.TaskService/WatchTasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/connect+json\r\n'
    + `Content-Length: ${body.length}\r\n\r\n`);
  socket.write(body);
  await once(socket, 'readable');
  await leaving;
  // What fits into the buffers of two sockets, and not what could be made in the meantime.
  t.true(askedBytes < 30_000_000, `${askedBytes} bytes were asked for`);
  t.deepEqual(logger.entries, []);
  socket.destroy();
  await http.stop(0);
});
