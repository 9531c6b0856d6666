import test from 'ava';

import { hasTool } from '../tooling/has-tool.ts';
import { runDemo } from './run-demo.ts';

const script = ['demo/cluster.ts'];

const essentials: readonly RegExp[] = [
  /^Kafka at 127\.0\.0\.1:\d+, NATS at 127\.0\.0\.1:\d+, their data in /m,
  /^node 1: gRPC on 127\.0\.0\.1:\d+, HTTP on http:\/\/127\.0\.0\.1:\d+\nnode 2: gRPC on /m,
  /^\$ lehr import http:.* --name debian --label env=demo --digest sha256:[0-9a-f]{64} --server 127\.0\.0\.1:\d+\ntask [0-9a-f-]{36} accepted$/m,
  /^node [12] works on it\n\$ lehr tasks watch [0-9a-f-]{36} --server /m,
  /^\$ kill -9 \d+\nnode [12] is gone; node [12] waits 8 s/m,
  /^fetch \(attempt 2\): \d+%/m,
  /^import [0-9a-f-]{36} \(debian\) succeeded$/m,
  /^ {2}1 {2}\S+Z {2}TaskCreated .*\n {2}2 .*AttemptStarted +attempt 1.*\n {2}3 .*AttemptStarted +attempt 2.*\n {2}4 .*fetch.*\n {2}5 .*inspect.*\n {2}6 .*ImageStored.*\n {2}7 .*TaskSucceeded/m,
  /^disk size +256\.0 MiB /m,
  /^verified 8 events of 2 streams: the chain holds$/m,
  /^8\. The node that was killed.*\nnode [12]: gRPC on .*\n\$ lehr tasks list --server .*\n.*\n.*SUCCEEDED/m,
  /^curl http:\/\/127\.0\.0\.1:\d+\/readyz$/m,
];

if (hasTool('kafka') && hasTool('nats-server')) {
  test('the cluster survives the node that works, stays with --stay until Ctrl-C, and leaves nothing behind', async (t) => {
    const stay = [...script, '--stay'];
    const { exitCode, stdout, stderr, leftFiles, leftProcesses } = await runDemo(t, stay, { PATH: process.env['PATH'] }, (text, child) => {
      if (text.includes('Ctrl-C here ends everything.')) child.kill('SIGINT');
    });
    t.is(stderr, '');
    for (const line of essentials) t.regex(stdout, line);
    t.notRegex(stdout, /\x1b|\r/);
    t.deepEqual({ exitCode, leftFiles, leftProcesses }, { exitCode: 0, leftFiles: [], leftProcesses: [] });
  });

  // While Kafka starts, and while a node works.
  for (const moment of ['1. Kafka', 'works on it']) {
    test(`Ctrl-C at "${moment}" ends everything with 130`, async (t) => {
      const { exitCode, stdout, stderr, leftFiles, leftProcesses } = await runDemo(t, script, { PATH: process.env['PATH'] }, (text, child) => {
        if (text.includes(moment)) child.kill('SIGINT');
      });
      t.notRegex(stdout, /succeeded/);
      t.is(stderr, '\nInterrupted; everything is cleaned up.\n');
      t.deepEqual({ exitCode, leftFiles, leftProcesses }, { exitCode: 130, leftFiles: [], leftProcesses: [] });
    });
  }
}

test('where Kafka and NATS cannot run it says what to install', async (t) => {
  const { exitCode, stdout, stderr, leftFiles } = await runDemo(t, script, { PATH: '' });
  t.is(stdout, '');
  t.regex(stderr, /^\ncluster: the cluster needs what is not here\.\n/);
  t.regex(stderr, /^java is missing; .* Install it with: apt-get install openjdk-17-jre-headless$/m);
  t.regex(stderr, /^nats-server is missing; .* Install it with: apt-get install nats-server$/m);
  t.deepEqual({ exitCode, leftFiles }, { exitCode: 1, leftFiles: [] });
});

test('a flag that it does not know ends it with its usage', async (t) => {
  const { exitCode, stderr } = await runDemo(t, [...script, '--stya'], { PATH: '' });
  t.deepEqual({ exitCode, stderr }, { exitCode: 2, stderr: 'Usage: npm run cluster -- [--stay]\n' });
});
