import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';

import { runCommand } from '../../scripts/run-command.ts';
import { HADOLINT, TOOLS } from '../../scripts/tool-list.ts';
import { loadConfig } from '../../src/config.ts';
import { textOf } from '../docs/tables.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { execForm, readDockerfile } from './read-dockerfile.ts';

const root = path.resolve(import.meta.dirname, '../..');
const instructions = readDockerfile(textOf('deploy/Dockerfile'));
const lastStage = Math.max(...instructions.map(({ stage }) => stage));
const all = (name: string): readonly string[] => instructions.filter((one) => one.name === name).map(({ text }) => text);
const last = (name: string): string => instructions.filter((one) => one.name === name && one.stage === lastStage).at(-1)?.text ?? '';

const { dependencies, version } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string>; version: string };

/** Sources of COPY that come from the repository. */
const copied = all('COPY').filter((text) => !text.startsWith('--from')).flatMap((text) => text.split(' ').slice(0, -1));

/** What .dockerignore lets through: everything is ignored but what has `!` before it. */
const context = textOf('.dockerignore').split('\n').filter((line) => line !== '' && !line.startsWith('#'));

if (hasTool('hadolint')) {
  test('hadolint has nothing to say about deploy/Dockerfile', async (t) => {
    const { succeeded, output } = await runCommand(HADOLINT, ['--no-color', path.join(root, 'deploy/Dockerfile')], { timeoutMs: 30_000 });
    t.is(output, '');
    t.true(succeeded);
  });
}

test('every stage is built on the version of Node that the package brings elsewhere', (t) => {
  t.deepEqual([...new Set(all('FROM').map((text) => text.split(' ')[0]))], [`node:${dependencies['node'] ?? ''}-bookworm-slim`]);
});

test('everything that is copied is there, and .dockerignore lets it and nothing else through', (t) => {
  t.deepEqual(copied.filter((name) => !existsSync(path.join(root, name))), []);
  t.is(context[0], '*');
  t.deepEqual(context.slice(1).toSorted(), [...new Set(copied)].map((name) => `!${name}`).toSorted());
});

test('what a stage takes from another is made there', (t) => {
  const names = all('FROM').map((text) => / AS (\w+)$/.exec(text)?.[1]);
  for (const [, name, source = ''] of all('COPY').map((text) => /^--from=(\w+) (\S+)/.exec(text) ?? []).filter((match) => match.length > 0)) {
    const stage = names.indexOf(name);
    t.true(stage >= 0 && stage < lastStage, name);
    const commands = instructions.filter((one) => one.name === 'RUN' && one.stage === stage).map(({ text }) => text).join('\n');
    t.regex(commands, source.endsWith('/dist') ? /npm run build/ : /npm ci/);
  }
});

test('the bin of the package is the entry point, without a shell between, and serves', (t) => {
  t.deepEqual([execForm(last('ENTRYPOINT')), execForm(last('CMD'))], [['lehr'], ['serve']]);
  t.regex(last('RUN'), /ln -s \/opt\/lehr\/bin\/lehr\.js \/usr\/local\/bin\/lehr\b/);
  accessSync(path.join(root, 'bin/lehr.js'), constants.X_OK);
  // The launcher takes the compiled code where there is no folder src.
  t.false(instructions.some(({ name, text, stage }) => name === 'COPY' && stage === lastStage && /\bsrc\b/.test(text)));
});

test('it does not run as root, and the folders of its settings are volumes that its user owns', (t) => {
  t.regex(last('USER'), /^[1-9]\d*:[1-9]\d*$/);
  const env = Object.fromEntries(last('ENV').split(' ').map((pair) => pair.split('=')) as [string, string][]);
  const config = loadConfig([], env);
  t.deepEqual([config['data-dir'], config['store-dir']], execForm(last('VOLUME')) as [string, string]);
  const [user, group] = last('USER').split(':');
  for (const folder of execForm(last('VOLUME'))) {
    t.regex(last('RUN'), new RegExp(`install -d -o ${user ?? ''} -g ${group ?? ''} -m 07[05]0 (?:\\S+ )*${folder}(?: |$)`));
  }
});

test('the image has what converts and what confines it', (t) => {
  const packages = [TOOLS.find(({ name }) => name === 'qemu-img'), TOOLS.find(({ name }) => name === 'bubblewrap')]
    .flatMap((tool) => (tool?.source.kind === 'packages' ? tool.source.packages : []));
  t.deepEqual(packages, ['qemu-utils', 'bubblewrap']);
  const installed = instructions.filter(({ name, text, stage }) => name === 'RUN' && stage === lastStage && text.includes('apt-get install')).map(({ text }) => text);
  t.is(installed.length, 1);
  for (const one of packages) t.true(installed[0]?.split(' ').includes(one), one);
});

test('the health check is a program of the image', (t) => {
  const [, command = ''] = / CMD (\[.*\])$/.exec(last('HEALTHCHECK')) ?? [];
  t.deepEqual(execForm(command), ['node', '/opt/lehr/healthcheck.mjs']);
  t.true(copied.includes('deploy/healthcheck.mjs'));
});

test('deploy/compose.yaml names the image by the version of the package', (t) => {
  t.regex(textOf('deploy/compose.yaml'), new RegExp(`^  image: lehr:${version.replaceAll('.', '\\.')}$`, 'm'));
});
