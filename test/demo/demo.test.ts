import test from 'ava';

import { readPage } from '../docs/page.ts';
import { shapeOf } from '../docs/shape-of.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { runDemo } from './run-demo.ts';

const script = ['demo/demo.ts'];

const essentials: readonly RegExp[] = [
  /^A qcow2 of 28 MiB .* served at http:\/\/127\.0\.0\.1:\d+\/debian\.qcow2$/m,
  /^gRPC on 127\.0\.0\.1:\d+, HTTP on http:\/\/127\.0\.0\.1:\d+, data in /m,
  /^\$ lehr import http:.* --name debian --label env=demo --digest sha256:[0-9a-f]{64} --wait$/m,
  /^fetch: \d+%, [\d.]+ MiB of 28\.\d MiB, [\d.]+ MiB\/s, \d:\d\d left$/m,
  /^import [0-9a-f-]{36} \(debian\) succeeded$/m,
  /^disk size +256\.0 MiB /m,
  /^ {2}1 {2}\S+Z {2}TaskCreated +import http:.*\n {2}2 .*AttemptStarted.*\n {2}3 .*fetch.*\n {2}4 .*inspect.*\n {2}5 .*ImageStored.*\n {2}6 .*TaskSucceeded/m,
  /^ {2}failure +NOT_A_DISK_IMAGE in stage fetch\n {2}message +.*HTML page/m,
  /^ {2}failure +IMAGE_UNSAFE in stage fetch\n {2}message +.*"\/etc\/shadow".*\n {2}details +check=qcow2\.backing_file$/m,
  /^Of 28\.\d MiB the web server had sent [0-2]\.\d MiB when the service hung up\.$/m,
  /^export [0-9a-f-]{36} \([0-9a-f-]{36}\) succeeded$/m,
  /^ {2}verified +read back from the destination and compared$/m,
  /^\$ lehr clone [0-9a-f-]{36} --from first --wait --server 127\.0\.0\.1:\d+$/m,
  /^source +image [0-9a-f-]{36} of region first\norigin +http:\/\/127\.0\.0\.1:\d+\/debian\.qcow2$/m,
  /^npx lehr --help /m,
];

/** With and without a qemu-img that can be run in a sandbox. */
const converted: readonly RegExp[] = [
  /^ {2}4 {2}.*decompress in .*, codec=gzip.*\n {2}5 .*inspect.*\n {2}6 .*convert in .*, qcow2, .*\n {2}7 .*ImageStored.*\n {2}8 .*TaskSucceeded/m,
  /^ {2}location +file:\/\/\/.*\/exports\/debian\.vmdk\n {2}format +vmdk$/m,
  /^verified 26 events of 7 streams: the chain holds$/m,
];
const unconverted: readonly RegExp[] = [
  /^ {2}failure +FORMAT_UNSUPPORTED in stage inspect$/m, /^This machine cannot convert, and the message says why\./m,
  /^ {2}location +file:\/\/\/.*\/exports\/debian\.qcow2$/m,
];
const canConvert = hasTool('qemu-img') && hasTool('bubblewrap');

test('the demo tells its story to the end, in plain text where it is piped, and leaves nothing behind', async (t) => {
  const { exitCode, stdout, stderr, leftFiles, leftProcesses } = await runDemo(t, script, { PATH: process.env['PATH'] });
  t.is(stderr, '');
  for (const line of [...essentials, ...(canConvert ? converted : unconverted)]) t.regex(stdout, line);
  t.notRegex(stdout, /\x1b|\r/);
  const [, transcript = ''] = /<!-- transcript of the demo;.*-->\n```text\n([^]*?)```/.exec(readPage('README.md').text) ?? [];
  if (canConvert) t.deepEqual(shapeOf(transcript), shapeOf(stdout), 'the transcript in README.md is that of another demo');
  t.deepEqual({ exitCode, leftFiles, leftProcesses }, { exitCode: 0, leftFiles: [], leftProcesses: [] });
});

test('Ctrl-C during the import, on a machine without qemu-img, ends everything with 130', async (t) => {
  const { exitCode, stdout, stderr, leftFiles, leftProcesses } = await runDemo(t, script, { PATH: '' }, (text, child) => {
    if (text.includes('fetch: ')) child.kill('SIGINT');
  });
  t.regex(stdout, /made by the demo itself \(there is no qemu-img here\)/);
  t.notRegex(stdout, /succeeded/);
  t.is(stderr, '\nInterrupted; everything is cleaned up.\n');
  t.deepEqual({ exitCode, leftFiles, leftProcesses }, { exitCode: 130, leftFiles: [], leftProcesses: [] });
});

test('a reader that leaves ends the demo without a word', async (t) => {
  const { exitCode, stderr, leftFiles, leftProcesses } = await runDemo(t, script, { PATH: '' }, (_text, child) => child.stdout?.destroy());
  t.is(stderr, '');
  t.deepEqual({ exitCode, leftFiles, leftProcesses }, { exitCode: 141, leftFiles: [], leftProcesses: [] });
});

test('a machine without a temporary folder is told what to do', async (t) => {
  const { exitCode, stderr } = await runDemo(t, script, { TMPDIR: '/nowhere' });
  t.is(stderr, '\ndemo: no folder can be made in /nowhere. Name another one: TMPDIR=/path npm run demo\n');
  t.is(exitCode, 1);
});
