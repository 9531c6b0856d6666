import path from 'node:path';

import test from 'ava';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

import { importRule } from '../../scripts/import-rules.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Lints without types, so that a snippet needs no file on disk. */
const eslint = new ESLint({
  cwd: root,
  overrideConfigFile: true,
  overrideConfig: [
    {
      files: ['**/*.ts'],
      plugins: { house: { rules: { imports: importRule } } },
      languageOptions: { parser: tseslint.parser },
      rules: { 'house/imports': 'error' },
    },
  ],
});

const lint = async (file: string, code: string): Promise<readonly string[]> => {
  const results = await eslint.lintText(code, { filePath: path.join(root, file) });
  return results.flatMap((result) => result.messages.map((message) => message.message));
};

const downwards = (zone: string, target: string): string => `${zone} must not import ${target}; imports point downwards only.`;

const refused: readonly (readonly [file: string, code: string, message: string])[] = [
  ['src/domain/task/decide.ts', 'import { a } from \'../../log/chain.ts\';', downwards('src/domain', 'src/log/chain.ts')],
  ['src/domain/limits.ts', 'import { createHash } from \'node:crypto\';', 'src/domain imports nothing from outside, and so not node:crypto.'],
  [
    'src/domain/limits.ts',
    'import { Task } from \'../gen/lehr/v1/task.ts\';',
    'src/domain may import only types of src/gen/lehr/v1/task.ts.',
  ],
  ['src/formats/qcow2.ts', 'import { a } from \'../stages/fetch.ts\';', downwards('src/formats', 'src/stages/fetch.ts')],
  ['src/formats/qcow2.ts', 'import { a } from \'../sources/http.ts\';', downwards('src/formats', 'src/sources/http.ts')],
  ['src/stages/fetch.ts', 'import type { A } from \'../handlers/import.ts\';', downwards('src/stages', 'src/handlers/import.ts')],
  ['src/handlers/import.ts', 'export * from \'../worker/run.ts\';', downwards('src/handlers', 'src/worker/run.ts')],
  ['src/log/chain.ts', 'import { a } from \'../projector/projector.ts\';', downwards('src/log', 'src/projector/projector.ts')],
  ['projections/tasks/apply.ts', 'import { a } from \'../../src/api/errors.ts\';', downwards('projections', 'src/api/errors.ts')],
  ['src/api/task-service.ts', 'import { a } from \'../worker/run.ts\';', downwards('src/api', 'src/worker/run.ts')],
  ['src/api/task-service.ts', 'export const a = () => import(\'../main.ts\');', downwards('src/api', 'src/main.ts')],
  ['src/cli/tasks.ts', 'import { main } from \'../main.ts\';', downwards('src/cli', 'src/main.ts')],
  ['src/cli/tasks.ts', 'import { a } from \'../domain/limits.ts\';', downwards('src/cli', 'src/domain/limits.ts')],
  ['src/worker/run.ts', 'import { a } from \'../../test/fixtures.ts\';', downwards('src/worker', 'test/fixtures.ts')],
  ['src/api/read.ts', 'import Database from \'better-sqlite3\';', 'better-sqlite3 is imported only in src/log/sqlite, src/projector, projections.'],
  ['src/stages/fetch.ts', 'import { request } from \'undici\';', 'undici is imported only in src/sources, src/regions, src/destinations, src/cli.'],
  ['src/api/errors.ts', 'import { status } from \'@grpc/grpc-js\';', '@grpc/ is imported only in src/api/grpc, src/cli, src/gen.'],
  ['src/api/grpc/server.ts', 'import { a } from \'@connectrpc/connect\';', '@connectrpc/ is imported only in src/api/connect.'],
  ['src/log/sqlite/log.ts', 'import { Kafka } from \'kafkajs\';', 'kafkajs is imported only in src/log/kafka.'],
  ['src/helpers/a.ts', 'import a from \'node:path\';', 'src/helpers/a.ts stands in no known layer; give it one in scripts/import-rules.ts.'],
];

const allowed: readonly (readonly [file: string, code: string])[] = [
  ['src/domain/task/decide.ts', 'import { limits } from \'../limits.ts\';'],
  ['src/domain/limits.ts', 'import type { Task } from \'../gen/lehr/v1/task.ts\';'],
  ['src/formats/qcow2.ts', 'import { reasons } from \'../domain/failures.ts\'; import { Buffer } from \'node:buffer\';'],
  ['src/stages/fetch.ts', 'import { a } from \'../bytes/ring.ts\'; import { b } from \'../sources/http.ts\';'],
  ['src/handlers/import.ts', 'import { a } from \'../stages/fetch.ts\';'],
  ['src/worker/run.ts', 'import { a } from \'../handlers/import.ts\'; import { b } from \'../jobs/job-queue.ts\';'],
  ['src/projector/projector.ts', 'import Database from \'better-sqlite3\'; import { a } from \'../log/event-log.ts\';'],
  ['projections/tasks/apply.ts', 'import type { A } from \'../../src/projector/projection.ts\';'],
  ['src/api/task-service.ts', 'import { a } from \'../../projections/tasks/queries.ts\';'],
  ['src/api/grpc/server.ts', 'import { Server } from \'@grpc/grpc-js\';'],
  ['src/api/connect/router.ts', 'import { a } from \'@connectrpc/connect\';'],
  ['src/cli/tasks.ts', 'import { a } from \'./serve.ts\'; import { b } from \'../gen/lehr/v1/task.ts\';'],
  ['src/cli/serve.ts', 'import { serve } from \'../serve.ts\';'],
  ['src/main.ts', 'import { a } from \'./api/grpc/server.ts\'; import { b } from \'../projections/tasks/apply.ts\';'],
  ['test/api/task-service.test.ts', 'import { main } from \'../../src/main.ts\'; import Database from \'better-sqlite3\';'],
];

for (const [file, code, message] of refused) {
  test(`${file} may not say: ${code}`, async (t) => {
    t.deepEqual(await lint(file, code), [message]);
  });
}

for (const [file, code] of allowed) {
  test(`${file} may say: ${code}`, async (t) => {
    t.deepEqual(await lint(file, code), []);
  });
}

const ruled = ['src/main.ts', 'src/domain/failures.ts', 'projections/tasks/apply.ts', 'test/tooling/import-rules.test.ts'];

for (const file of ruled) {
  test(`the project's configuration lints the imports of ${file}`, async (t) => {
    const config = (await new ESLint({ cwd: root }).calculateConfigForFile(path.join(root, file))) as { rules: Record<string, unknown> };
    t.deepEqual(config.rules['house/imports'], [2]);
  });
}

test('generated code is not linted', async (t) => {
  t.true(await new ESLint({ cwd: root }).isPathIgnored(path.join(root, 'src/gen/lehr/v1/task.ts')));
});
