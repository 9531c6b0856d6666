import test from 'ava';

import type { StreamEventsRequest } from '../../src/gen/lehr/v1/event_service.ts';
import { otherId, taskEvent, taskId } from './fixtures.ts';
import { runLehr, startLehr } from './run-lehr.ts';
import { Refusal, startStub } from './stub-server.ts';

const events = [
  taskEvent(1n, { $case: 'attemptStarted', value: { attempt: 1, node: 'a', incarnation: 'i' } }),
  { ...taskEvent(2n, { $case: 'imageDeleted', value: {} }), subject: `images/${otherId}` },
  taskEvent(3n, { $case: 'cancelRequested', value: {} }),
];
const lines = [
  `tasks/${taskId}     1  2026-01-02T03:04:06.678Z  AttemptStarted   attempt 1 on a\n`,
  `images/${otherId}    2  2026-01-02T03:04:07.678Z  ImageDeleted\n`,
  `tasks/${taskId}     3  2026-01-02T03:04:08.678Z  CancelRequested\n`,
];

test.serial('events prints the log and asks for what was asked', async (t) => {
  const requests: StreamEventsRequest[] = [];
  const stub = await startStub({
    streamEvents: (request, call) => {
      requests.push(request);
      events.forEach((event, index) => call.write({ event, token: `t${index}` }));
      call.end();
    },
  });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['events', '--from', 'x', '--subject', 'tasks/', '--server', stub.address]), { exitCode: 0, stderr: '', stdout: lines.join('') });
  t.deepEqual(requests, [{ fromToken: 'x', follow: false, subjectPrefix: 'tasks/' }]);
});

test.serial('events --json goes on without a gap where the connection broke, and prints the token of each event', async (t) => {
  const requests: StreamEventsRequest[] = [];
  const stub = await startStub({
    streamEvents: (request, call) => {
      requests.push(request);
      const next = request.fromToken === '' ? 0 : Number(request.fromToken) + 1;
      const event = events[next];
      if (event !== undefined) call.write({ event, token: String(next) });
      if (next < 2) throw new Refusal('UNAVAILABLE', 'SERVER_STOPPING', 'stopping');
      call.end();
    },
  });
  t.teardown(stub.kill);
  const ran = await runLehr(['events', '--json', '--server', stub.address]);
  const printed = ran.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { event: { revision: string }; token: string });
  t.deepEqual(printed.map(({ event, token }) => [event.revision, token]), [['1', '0'], ['2', '1'], ['3', '2']]);
  t.deepEqual([ran.exitCode, ran.stderr, requests.map(({ fromToken }) => fromToken)], [0, '', ['', '0', '1']]);
});

test.serial('events --follow waits for more, and says on Ctrl-C where to go on', async (t) => {
  const stub = await startStub({
    streamEvents: (_request, call) => {
      call.on('error', () => undefined);
      call.write({ event: events[0], token: 't0' });
    },
  });
  t.teardown(stub.kill);
  const lehr = startLehr(['events', '--follow', '--server', stub.address]);
  await lehr.untilPrinted('attempt 1');
  lehr.child.kill('SIGINT');
  t.deepEqual(await lehr.ended, { exitCode: 130, stdout: lines[0] ?? '', stderr: 'go on later with --from t0\nlehr: interrupted\n' });
});

test.serial('events ends quietly when its reader has enough', async (t) => {
  const stub = await startStub({
    streamEvents: (_request, call) => {
      const fill = (): void => {
        while (!call.cancelled && call.write({ event: events[0], token: 't' }));
      };
      call.on('error', () => undefined).on('drain', fill);
      fill();
    },
  });
  t.teardown(stub.kill);
  const lehr = startLehr(['events', '--follow', '--server', stub.address]);
  await lehr.untilPrinted('attempt 1');
  lehr.child.stdout?.destroy();
  const { exitCode, stderr } = await lehr.ended;
  t.deepEqual([exitCode, stderr], [141, '']);
});

test.serial('verify says that the chain holds', async (t) => {
  const stub = await startStub({ verifyEvents: ({ subject }) => ({ events: subject === '' ? 12n : 1n, streams: subject === '' ? 3n : 1n, faults: [] }) });
  t.teardown(stub.kill);
  const env = { LEHR_SERVER: stub.address };
  t.deepEqual(await runLehr(['verify'], { env }), { exitCode: 0, stderr: '', stdout: 'verified 12 events of 3 streams: the chain holds\n' });
  t.deepEqual(await runLehr(['verify', `tasks/${taskId}`], { env }), { exitCode: 0, stderr: '', stdout: 'verified 1 event of 1 stream: the chain holds\n' });
});

test.serial('verify names what is wrong and exits with 1', async (t) => {
  const faults = [{ position: '0:42', subject: `tasks/${taskId}`, revision: 3n, message: 'expected hash ab, found cd' }];
  const stub = await startStub({ verifyEvents: () => ({ events: 12n, streams: 3n, faults }) });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['verify', '--server', stub.address]), {
    exitCode: 1, stderr: '',
    stdout: [
      'POSITION  STREAM                                      REVISION  WHAT IS WRONG',
      `    0:42  tasks/${taskId}         3  expected hash ab, found cd`,
      '1 fault among 12 events of 3 streams',
      '',
    ].join('\n'),
  });
});
