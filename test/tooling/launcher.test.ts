import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

import test from 'ava';

const root = path.resolve(import.meta.dirname, '../..');

/** Stands in for the command line: does what its first argument says. */
const ENTRY = `
const say = (value) => console.log(JSON.stringify(value));
const [what] = process.argv.slice(2);
const forEver = () => setInterval(() => {}, 60_000);
if (what === 'report') {
  say({ args: process.argv.slice(2), entry: process.argv[1], pid: process.pid, launched: process.env.LEHR_LAUNCHED ?? null, flags: process.execArgv });
} else if (what === 'exit') {
  process.exitCode = 7;
} else if (what === 'wait') {
  forEver();
  say('ready');
} else if (what === 'answer') {
  const timer = forEver();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']) {
    process.on(signal, () => {
      say(signal);
      process.exitCode = 9;
      clearInterval(timer);
    });
  }
  say('ready');
}
`;

type Layout = {
  /** Where the entry stands in the package. */
  readonly entry: 'src/cli/main.ts' | 'dist/command/main.js';
  /** Whether the Node that runs the launcher is too old for Lehr. */
  readonly node: 'old' | 'new';
  /** Where the `node` package is installed, if at all. */
  readonly nodePackage?: 'nested' | 'hoisted' | 'without binary';
};

/** Lays a package out in a folder of its own and gives the path of its launcher. */
async function layOut(folder: string, { entry, node, nodePackage }: Layout): Promise<string> {
  // Node strips types from no file below node_modules, and a checkout stands in none.
  const home = path.join(folder, entry.startsWith('dist') ? 'node_modules/lehr' : 'lehr');
  for (const file of ['bin/lehr.js', entry]) await mkdir(path.dirname(path.join(home, file)), { recursive: true });
  await writeFile(path.join(home, 'package.json'), '{ "type": "module" }');
  await writeFile(path.join(home, entry), ENTRY);
  // Whatever Node this test runs on is made too old by a launcher that asks for a newer one than there is.
  const launcher = await readFile(path.join(root, 'bin/lehr.js'), 'utf8');
  await writeFile(path.join(home, 'bin/lehr.js'), node === 'old' ? launcher.replace('OLDEST_NODE = 24', 'OLDEST_NODE = 999') : launcher);
  const nodeHome = path.join(nodePackage === 'nested' ? home : folder, 'node_modules/node');
  if (nodePackage !== undefined) {
    await mkdir(path.join(nodeHome, 'bin'), { recursive: true });
    await cp(path.join(root, 'node_modules/node/package.json'), path.join(nodeHome, 'package.json'));
    if (nodePackage !== 'without binary') await symlink(process.execPath, path.join(nodeHome, 'bin/node'));
  }
  return path.join(home, 'bin/lehr.js');
}

async function withLauncher<T>(layout: Layout, run: (launcher: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'lehr-launcher-'));
  try {
    return await run(await layOut(folder, layout));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly unknown[];
  readonly stderr: string;
};

/**
 * Starts the launcher, calls `onReady` at its first line of output, and waits until no process holds its output any
 * longer: the launcher's and its child's alike.
 */
async function launch(launcher: string, args: readonly string[], onReady: (child: ChildProcess) => void = () => undefined): Promise<Ended> {
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.once('readable', () => onReady(child));
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { code, signal, stderr, lines: lines.map((line): unknown => JSON.parse(line)) };
}

type Report = { readonly args: string[]; readonly entry: string; readonly pid: number; readonly launched: null; readonly flags: string[] };

const layouts: readonly (readonly [title: string, layout: Layout])[] = [
  ['a checkout on a new Node', { entry: 'src/cli/main.ts', node: 'new' }],
  ['a published package on a new Node', { entry: 'dist/command/main.js', node: 'new' }],
  ['a checkout on an old Node', { entry: 'src/cli/main.ts', node: 'old', nodePackage: 'nested' }],
  ['a published package on an old Node, the node package beside it', { entry: 'dist/command/main.js', node: 'old', nodePackage: 'hoisted' }],
];

for (const [title, layout] of layouts) {
  test(`${title} runs its entry with the arguments`, async (t) => {
    await withLauncher(layout, async (launcher) => {
      let pid: number | undefined;
      const ended = await launch(launcher, ['report', '--flag', 'two words'], (child) => (pid = child.pid));
      const [report] = ended.lines as Report[];
      const ownProcess = layout.node === 'new';
      t.deepEqual({ ...ended, lines: [{ ...report, pid: report?.pid === pid }] }, {
        code: 0,
        signal: null,
        stderr: '',
        lines: [
          {
            args: ['report', '--flag', 'two words'],
            entry: path.join(path.dirname(path.dirname(launcher)), layout.entry),
            pid: ownProcess,
            launched: null,
            flags: ownProcess ? [] : ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'],
          },
        ],
      });
    });
  });

  test(`${title} ends with the exit code of its entry`, async (t) => {
    const ended = await withLauncher(layout, (launcher) => launch(launcher, ['exit']));
    t.deepEqual(ended, { code: 7, signal: null, lines: [], stderr: '' });
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const) {
    test(`${title} hands ${signal} to its entry`, async (t) => {
      const ended = await withLauncher(layout, (launcher) => launch(launcher, ['answer'], (child) => child.kill(signal)));
      t.deepEqual(ended, { code: 9, signal: null, lines: ['ready', signal], stderr: '' });
    });
  }

  test(`${title} dies of the signal that its entry died of`, async (t) => {
    const ended = await withLauncher(layout, (launcher) => launch(launcher, ['wait'], (child) => child.kill('SIGTERM')));
    t.deepEqual(ended, { code: null, signal: 'SIGTERM', lines: ['ready'], stderr: '' });
  });
}

test('a launcher that is killed leaves no child behind', async (t) => {
  const layout: Layout = { entry: 'src/cli/main.ts', node: 'old', nodePackage: 'nested' };
  const ended = await withLauncher(layout, (launcher) => launch(launcher, ['answer'], (child) => child.kill('SIGKILL')));
  t.deepEqual(ended, { code: null, signal: 'SIGKILL', lines: ['ready', 'SIGTERM'], stderr: '' });
});

for (const nodePackage of [undefined, 'without binary'] as const) {
  test(`an old Node and ${nodePackage === undefined ? 'no node package' : 'a node package without its binary'} is told what to install`, async (t) => {
    const ended = await withLauncher({ entry: 'src/cli/main.ts', node: 'old', ...(nodePackage && { nodePackage }) }, (launcher) =>
      launch(launcher, ['report']),
    );
    t.deepEqual({ code: ended.code, lines: ended.lines }, { code: 1, lines: [] });
    t.regex(ended.stderr, /^lehr: needs Node 999 or later, and this is Node .*"npm rebuild node"/s);
  });
}
