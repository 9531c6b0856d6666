import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { nextSteps } from '../../demo/next-steps.ts';
import { readPage } from './page.ts';
import type { Page, Step } from './page.ts';
import { Reader } from './reader.ts';
import { shapeOf } from './shape-of.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Blocks that are not run, by page and first line, and why. */
const notRun: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    'npm ci && npm run demo': 'test/demo/demo.test.ts runs the demo',
    'npm ci && npm test': 'it runs this very test',
    'npm run bench': 'a benchmark takes minutes',
    'npm run cluster': 'it starts servers of its own; test/cluster starts such clusters',
    'npx lehr serve --log kafka --kafka-brokers 127.0.0.1:9092 --nats-servers 127.0.0.1:4222 --store-dir shared --data-dir node-1 --file-roots "$PWD"':
      'cluster-page.test.ts runs it',
    'npx lehr import https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-generic-amd64.qcow2 --wait': 'tests contact nothing but this machine',
    [nextSteps.split('\n', 1)[0] ?? '']: 'tests contact nothing but this machine',
    'grpcurl -plaintext -d \'{"filter": "state = STATE_RUNNING"}\' 127.0.0.1:50051 lehr.v1.TaskService/ListTasks': 'Debian has no package of grpcurl',
  },
  'docs/tutorial.md': {
    'npm ci': 'it has been done where tests run',
  },
  'docs/how-to/use-object-stores.md': {
    'npx lehr serve --credentials /etc/lehr/credentials.yaml': 'there is nothing at the addresses of its example; test/acceptance/object-stores.test.ts has a real Swift',
    'npx lehr import swift://container/disk.qcow2 --credential dfw-swift --wait': 'the same',
  },
  'docs/how-to/run-as-a-service.md': {
    'npm pack': 'tests do not change the system; test/tooling/pack.test.ts packs, installs and serves',
    'sudo apt-get install qemu-utils bubblewrap': 'npm test has installed them where it may',
    'sudo systemctl daemon-reload': 'there is no systemd in the containers in which tests run',
  },
};

/** Pages whose commands need more than one server, and the test that runs them. */
const runElsewhere: Readonly<Record<string, string>> = {
  'docs/how-to/run-a-cluster.md': 'test/docs/cluster-page.test.ts',
  'docs/how-to/clone.md': 'test/docs/clone-page.test.ts',
};

const firstLine = ({ text }: { readonly text: string }): string => text.split('\n', 1)[0] ?? '';

const isRun = (page: Page, step: Step): boolean => step.kind !== 'run' || notRun[page.name]?.[firstLine(step)] === undefined;

const pages = ['README.md', ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md')).map((name) => path.posix.join('docs', name)).sort()].map(readPage);

test('the commands that are not run are still there', (t) => {
  for (const [name, blocks] of Object.entries(notRun)) {
    const page = pages.find((candidate) => candidate.name === name);
    const lines = page?.steps.flatMap((step) => (step.kind === 'run' ? [firstLine(step)] : []));
    for (const line of Object.keys(blocks)) t.true(lines?.includes(line), `${name}: ${line}`);
  }
});

const isThere = (program: string): boolean => spawnSync('sh', ['-c', `command -v "${program}"`], { stdio: 'ignore' }).status === 0;

/** Most pages start this very server. One reader reads these, one after another, and goes on with the server that runs. */
const usualServer = 'npm start -- --file-roots "$PWD"\n';
let usualReader: Reader | undefined;
test.after.always(() => usualReader?.leave());

/**
 * The first of them, in this order: two that tell how much the log holds, of which the tutorial ends with its data removed, and one whose
 * programs end when a task with the label env=prod has, which others make too.
 */
const first = ['docs/tutorial.md', 'docs/how-to/audit.md', 'docs/how-to/watch-from-a-program.md'];
const inOrder = [
  ...first.flatMap((name) => pages.filter((page) => page.name === name)),
  ...pages.filter(({ name }) => !first.includes(name)),
];

for (const page of inOrder) {
  const steps = page.steps.filter((step) => isRun(page, step));
  if (steps.length === 0 || page.name in runElsewhere) continue;
  const missing = page.needs.filter((program) => !isThere(program));
  if (missing.length > 0) {
    process.stderr.write(`${missing.join(' and ')} is missing; without it the commands of ${page.name} are not run\n`);
    continue;
  }
  const title = `the commands of ${page.name} do what it says`;
  const read = (t: ExecutionContext, reader: Reader): Promise<unknown> => t.notThrowsAsync(async () => {
    for (const step of steps) {
      await follow(step, reader, (output, shown) => t.deepEqual(shapeOf(output), shapeOf(shown), `line ${step.line}`));
    }
  });
  if (steps.some((step) => step.kind === 'serve' && step.text === usualServer)) {
    test.serial(title, async (t) => {
      if (usualReader === undefined) usualReader = await Reader.sitDown();
      else await usualReader.turnPage();
      await read(t, usualReader);
    });
  } else {
    test(title, async (t) => {
      const reader = await Reader.sitDown();
      t.teardown(() => reader.leave());
      await read(t, reader);
    });
  }
}

async function follow(step: Step, reader: Reader, compare: (output: string, shown: string) => void): Promise<void> {
  switch (step.kind) {
    case 'serve':
      return reader.serve(step.text);
    case 'save':
      return reader.save(step.file, step.text);
    case 'stop':
      return reader.stop();
    case 'run': {
      const output = await reader.run(step.text);
      if (step.output !== undefined) compare(output, step.output);
      return;
    }
    default:
      return step satisfies never;
  }
}
