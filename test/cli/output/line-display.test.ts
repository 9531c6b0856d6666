import { Writable } from 'node:stream';

import test from 'ava';

import { createLineDisplay } from '../../../src/cli/output/line-display.ts';

test('plain lines tell each activity at once and its progress at most every five seconds', (t) => {
  let printed = '';
  let nowMs = 0;
  const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => {
    printed += chunk.toString();
    done();
  } });
  const display = createLineDisplay(stream, () => new Date(nowMs));
  const fetched = (bytesDone: bigint): void => display.show({ activity: 'fetch', progress: { stage: 'fetch', bytesDone, bytesTotal: 100n, bytesPerSecond: 10n } });
  for (let second = 0; second <= 12; second += 1) {
    nowMs = second * 1_000;
    fetched(BigInt(second));
  }
  display.show({ activity: 'store' });
  display.show({ activity: 'store' });
  nowMs += 60_000;
  display.show({ activity: 'store' });
  display.note('a\u001bb');
  display.end();
  t.deepEqual(printed.split('\n'), [
    'fetch: 0%, 0 B of 100 B, 10 B/s, 0:10 left',
    'fetch: 5%, 5 B of 100 B, 10 B/s, 0:10 left',
    'fetch: 10%, 10 B of 100 B, 10 B/s, 0:09 left',
    'store',
    'a\\eb',
    '',
  ]);
});
