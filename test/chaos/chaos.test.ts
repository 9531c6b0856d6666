import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';

import { hasTool } from '../tooling/has-tool.ts';
import { describeReport } from './chaos-report.ts';
import { runChaos } from './run-chaos.ts';

/**
 * A plan that has some of everything in a short time: nodes killed, paused and stopped, a leader killed, a broker paused, NATS
 * emptied and cut off. `npm run chaos` draws others, and longer ones.
 */
const seed = 48_195;

const options = { seed, durationMs: 18_000, longestFaultMs: 5_000, tasksPerSecond: 3 };

/** The run itself, and how long a slow machine takes to start everything and to settle. */
const limitMs = 420_000;

if (hasTool('kafka') && hasTool('nats-server')) {
  test('a cluster of three keeps what it promises while its nodes, its brokers and NATS are killed, paused and cut off', async (t) => {
    t.timeout(limitMs);
    const folder = path.join(tmpdir(), `lehr-chaos-test-${process.pid}`);
    const report = await runChaos({ ...options, deployment: 'cluster', folder }, new AbortController().signal);
    if (report === undefined || report.violationCount > 0) t.log(report === undefined ? 'interrupted' : describeReport(report));
    t.deepEqual(report?.violations.map(({ rule, detail }) => `${rule}: ${detail}`), []);
    const reached = Object.keys(report?.counts ?? {});
    const wanted = [
      /^fault: \w+ node$/, /^fault: \w+ (broker|leader)$/, /^fault: \w+ (nats|link node nats)$/, /^watch resumed$/, /^task ended taskSucceeded$/,
    ];
    t.deepEqual(wanted.filter((what) => !reached.some((name) => what.test(name))), [], 'and the run has met what it is there for');
  });
}
