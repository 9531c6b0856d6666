import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { ConfigError, environmentName, loadConfig } from '../src/config.ts';
import { settings } from '../src/settings.ts';
import type { SettingName } from '../src/settings.ts';
import { runProcess } from './acceptance/harness/lehr-process.ts';

/** Runs a test with a `lehr.yaml` of this content. */
async function withFile(t: ExecutionContext, content: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lehr-config-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'lehr.yaml');
  await writeFile(file, content);
  return file;
}

/** The problems that a configuration is refused with, a line each. */
function problemsOf(args: readonly string[], env: Readonly<Record<string, string>> = {}): readonly string[] {
  try {
    loadConfig(args, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

test('without flags, variables and file every setting has its default', async (t) => {
  const config = loadConfig(['--config', await withFile(t, '')], { PATH: '/bin' });
  t.deepEqual(Object.keys(config).toSorted(), Object.keys(settings).toSorted());
  t.like(config, {
    'data-dir': './.lehr', 'http-port': 8080, 'grpc-port': 50051, listen: '127.0.0.1', 'task-ttl': 48 * 3_600_000, transfers: 256, 'attempt-limit': 5,
    'stage-timeout': 24 * 3_600_000, 'idle-timeout': 60_000, 'max-image-bytes': 2 ** 40, 'max-decoded-ratio': 2000, 'max-virtual-bytes': 2 ** 46, 'file-roots': [],
    log: 'sqlite', store: 'folder', auth: 'none',
  });
});

test('a flag goes before a variable, a variable before the file, the file before the default', async (t) => {
  const file = await withFile(t, 'http-port: 1001\ngrpc-port: 1002\ntransfers: 3\n');
  const env = { LEHR_HTTP_PORT: '2001', LEHR_GRPC_PORT: '2002' };
  const { 'http-port': httpPort, 'grpc-port': grpcPort, transfers, 'attempt-limit': attemptLimit } =
    loadConfig(['--config', file, '--http-port', '3001'], env);
  t.deepEqual({ httpPort, grpcPort, transfers, attemptLimit }, { httpPort: 3001, grpcPort: 2002, transfers: 3, attemptLimit: 5 });
});

test('flags are written with a blank or an equals sign', async (t) => {
  const none = await withFile(t, '');
  t.is(loadConfig(['--config', none, '--task-ttl', '90m'], {})['task-ttl'], 90 * 60_000);
  t.is(loadConfig([`--config=${none}`, '--task-ttl=2d'], {})['task-ttl'], 2 * 86_400_000);
});

const values: readonly (readonly [name: SettingName, text: string, value: unknown])[] = [
  ['http-port', '0', 0], ['http-port', '65535', 65535], ['task-ttl', '1s', 1_000], ['idle-timeout', '1500ms', 1_500],
  ['stage-timeout', '20d', 20 * 86_400_000], ['max-image-bytes', '1048576', 1_048_576], ['max-image-bytes', '500MiB', 500 * 2 ** 20],
  ['max-image-bytes', '2 GiB', 2 ** 31], ['workers', '0', 0], ['listen', '::1', '::1'], ['listen', '127.9.9.9', '127.9.9.9'],
  ['listen', 'localhost', 'localhost'], ['file-roots', '/srv/a, /srv/b/,', ['/srv/a', '/srv/b']], ['log-level', 'debug', 'debug'],
];

for (const [name, text, value] of values) {
  test(`${name} takes ${text}, the same as a flag, a variable and a key`, async (t) => {
    const none = await withFile(t, '');
    t.deepEqual(loadConfig(['--config', none, `--${name}`, text], {})[name], value);
    t.deepEqual(loadConfig(['--config', none], { [environmentName(name)]: text })[name], value);
    t.deepEqual(loadConfig(['--config', await withFile(t, `${name}: ${JSON.stringify(text)}\n`)], {})[name], value);
  });
}

const cluster = ['--log=kafka', '--kafka-brokers=a:9092, b:9092', '--nats-servers=[::1]:4222', '--store-dir=/srv/images'];

test('a cluster is configured by its brokers, its NATS servers and the folder that all nodes share', async (t) => {
  const none = await withFile(t, '');
  t.like(loadConfig(['--config', none, ...cluster, '--roles=worker', '--kafka-skip=0-1,11-20'], {}), {
    log: 'kafka', 'kafka-brokers': ['a:9092', 'b:9092'], 'nats-servers': ['[::1]:4222'], 'kafka-topic': 'lehr.events', 'kafka-partitions': 12,
    roles: ['worker'], 'kafka-skip': ['0-1', '11-20'],
  });
  t.deepEqual(problemsOf(['--config', none, '--log=kafka']).map((problem) => /^[^:]+/.exec(problem)?.[0]), ['kafka-brokers', 'nats-servers', 'store-dir']);
});

const contradictions: readonly (readonly [args: readonly string[], problem: RegExp])[] = [
  [['--kafka-sasl=plain', '--kafka-username=lehr'], /^kafka-sasl: needs kafka-username and kafka-password-file too$/],
  [['--kafka-username=lehr'], /^kafka-username, kafka-password-file: say nothing without kafka-sasl/],
  [['--nats-username=lehr'], /^nats-username and nats-password-file: need each other$/],
  [['--nats-username=lehr', '--nats-password-file=p', '--nats-credentials=c'], /^nats-credentials and nats-username: one of them is enough$/],
  [['--kafka-tls-ca=ca.pem'], /^kafka-tls-ca: says nothing without kafka-tls on$/],
  [['--nats-tls=on', '--nats-tls-cert=c.pem'], /^nats-tls-cert and nats-tls-key: need each other$/],
];

for (const [args, problem] of contradictions) {
  test(`a cluster with ${args.join(' ')} is refused`, async (t) => {
    const [found = '', ...others] = problemsOf(['--config', await withFile(t, ''), ...cluster, ...args]);
    t.deepEqual(others, []);
    t.regex(found, problem);
  });
}

test('a key of the file may be a number or a list', async (t) => {
  const config = loadConfig(['--config', await withFile(t, 'http-port: 0\nfile-roots:\n  - /srv/a\n  - /srv/b\n')], {});
  t.deepEqual([config['http-port'], config['file-roots']], [0, ['/srv/a', '/srv/b']]);
});

const malformed: readonly (readonly [name: SettingName, text: string, problem: RegExp])[] = [
  ['http-port', '70000', /must be a whole number from 0 to 65535/], ['http-port', '-1', /whole number/], ['http-port', '80a', /whole number/],
  ['http-port', '', /whole number/], ['grpc-port', '1e3', /whole number/], ['task-ttl', '48', /must be a duration such as 90s/],
  ['task-ttl', '0s', /from 1s to/], ['task-ttl', '10000d', /from 1s to/], ['idle-timeout', '5 minutes', /duration/], ['transfers', '0', /from 1 to 4096/],
  ['workers', '65', /from 0 to 64/], ['attempt-limit', '0', /from 1 to 100/], ['max-image-bytes', '1GB', /number of bytes such as 500MiB/],
  ['max-image-bytes', '0', /number of bytes/], ['log', 'redis', /must be sqlite or kafka/], ['store', 's3', /must be folder/], ['auth', 'off', /must be none/],
  ['roles', 'api,cook', /one or more of api, worker/], ['roles', '', /one or more of/], ['roles', 'api', /only one and does everything/],
  ['kafka-brokers', 'kafka-1', /addresses such as kafka-1:9092/], ['kafka-brokers', 'a:0', /addresses/], ['kafka-brokers', 'a:1', /says nothing with log sqlite/],
  ['kafka-topic', 'lehr..events', /words of letters/], ['kafka-topic', 'lehr/events', /words of letters/], ['kafka-partitions', '0', /from 1 to 1024/],
  ['kafka-skip', '3:7', /positions such as 3-1042/], ['nats-servers', 'nats://n:4222', /addresses/], ['nats-servers', 'n:4222', /says nothing with log sqlite/],
  ['log-level', 'loud', /must be error or warn or info or debug/], ['listen', '0.0.0.0', /is no loopback address/], ['listen', '::', /no loopback/],
  ['listen', '10.0.0.1', /no loopback/], ['listen', 'example.com', /no loopback/], ['listen', '127.evil.example', /no loopback/], ['listen', '', /no loopback/],
];

for (const [name, text, problem] of malformed) {
  test(`${name} refuses "${text}" by its name, wherever it stands`, async (t) => {
    const none = await withFile(t, '');
    const file = await withFile(t, `${name}: ${JSON.stringify(text)}\n`);
    for (const [args, env] of [
      [['--config', none, `--${name}=${text}`], {}],
      [['--config', none], { [environmentName(name)]: text }],
      [['--config', file], {}],
    ] as const) {
      const [found = '', ...others] = problemsOf(args, env);
      t.deepEqual(others, []);
      t.regex(found, problem);
      t.true(found.includes(name) || found.includes(environmentName(name)), found);
    }
  });
}

test('what is no setting is named, with the one that was meant', async (t) => {
  const none = await withFile(t, '');
  t.deepEqual(problemsOf(['--config', none, '--port', '5']), [
    '--port: no such setting. Did you mean http-port? `lehr serve --help` lists all.',
  ]);
  t.deepEqual(problemsOf(['--config', none, '--nonsense', '--workers=2', 'serve']), [
    '--nonsense: no such setting. `lehr serve --help` lists all.', 'serve: no such setting. `lehr serve --help` lists all.',
  ]);
});

test('names that every object has are no settings', async (t) => {
  const none = await withFile(t, '');
  t.regex(problemsOf(['--config', none, '--constructor=x'])[0] ?? '', /^--constructor=x: no such setting/);
  t.regex(problemsOf(['--config', await withFile(t, 'constructor: x\n')])[0] ?? '', /^constructor in .*: no such setting/);
  t.regex(problemsOf(['--config', await withFile(t, 'toString: x\n')])[0] ?? '', /^toString in .*: no such setting/);
});

test('every problem is told at once', async (t) => {
  const file = await withFile(t, 'htp-port: 1\ntransfers: many\nlisten: {a: 1}\n');
  const problems = problemsOf(['--config', file, '--nonsense', '--http-port', 'x'], { LEHR_WORKERS: '-', LEHR_COLOUR: 'red', OTHER: 'x' });
  t.deepEqual(problems.map((problem) => /^[^:]+/.exec(problem)?.[0]).toSorted(), [
    `--nonsense`, '--http-port', 'LEHR_WORKERS', 'LEHR_COLOUR', `htp-port in ${file}`, `transfers in ${file}`, `listen in ${file}`,
  ].toSorted());
});

const badFiles: readonly (readonly [what: string, content: string, problem: RegExp])[] = [
  ['that is no YAML', 'http-port: [', /cannot be read/],
  ['that is a list', '- http-port\n', /must hold one "name: value" a line/],
  ['that is a text', 'http-port\n', /must hold one "name: value" a line/],
  ['with a key twice', 'http-port: 1\nhttp-port: 2\n', /cannot be read/],
  ['with nothing behind a key', 'http-port:\n', /http-port in .*: must be a text, a number or a list/],
];

for (const [what, content, problem] of badFiles) {
  test(`a file ${what} is refused by its name`, async (t) => {
    const file = await withFile(t, content);
    const [found = ''] = problemsOf(['--config', file]);
    t.regex(found, problem);
    t.true(found.includes(file));
  });
}

test('a file that was asked for and is missing is refused', (t) => {
  t.regex(problemsOf(['--config', '/nowhere/lehr.yaml'])[0] ?? '', /^\/nowhere\/lehr\.yaml: cannot be read: .*ENOENT/);
});

test('flags are given once, with a value, and ports must differ', async (t) => {
  const none = await withFile(t, '');
  t.deepEqual(problemsOf(['--config', none, '--workers', '1', '--workers', '2']), ['--workers: given twice']);
  t.deepEqual(problemsOf(['--config', none, '--workers']), ['--workers: needs a value']);
  t.deepEqual(problemsOf(['--config', none, '--http-port', '7', '--grpc-port', '7']), ['http-port and grpc-port: must differ']);
  t.deepEqual(problemsOf(['--config', none, '--http-port', '0', '--grpc-port', '0']), []);
});

test('variables of the command line are no settings and no mistake', async (t) => {
  t.deepEqual(problemsOf(['--config', await withFile(t, '')], { LEHR_SERVER: 'x', LEHR_TIMEOUT: '5s' }), []);
});

test('lehr serve refuses a wrong configuration with exit code 2, before it touches anything', async (t) => {
  const cwd = path.dirname(await withFile(t, 'grpc-prt: 5\n'));
  const { code, stdout, stderr } = await runProcess(['serve', '--data-dir', path.join(cwd, 'data'), '--http-port=eighty'], {
    cwd, env: { LEHR_TRANSFERS: 'all' },
  });
  t.deepEqual({ code, stdout }, { code: 2, stdout: '' });
  const lines = stderr.trimEnd().split('\n');
  t.is(lines.length, 3);
  t.true(lines.every((line) => line.startsWith('lehr serve: ')));
  for (const name of ['grpc-prt in lehr.yaml', '--http-port: "eighty"', 'LEHR_TRANSFERS: "all"']) t.true(stderr.includes(name), stderr);
});

test('lehr serve --help lists every setting with its default and its variable', async (t) => {
  const { code, stdout, stderr } = await runProcess(['serve', '--http-port', 'x', '--help']);
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  for (const [name, { fallback, description }] of Object.entries(settings)) {
    for (const part of [`--${name}\n`, description, environmentName(name), fallback]) t.true(stdout.includes(part), `${name}: ${part}`);
  }
});
