import { readdir } from 'node:fs/promises';
import path from 'node:path';

import test from 'ava';

import { hasTool } from '../tooling/has-tool.ts';
import { run } from '../tooling/run.ts';
import { rawDisk } from './harness/disk-images.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import { gives, startSource } from './harness/source-server.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Debian's own Python, which has the packages. */
const python = '/usr/bin/python3';

/** Where the protos of other services stand that the server speaks. */
const packaged = [
  ['node_modules/grpc-health-check/proto/health/v1', 'health.proto'],
  ['node_modules/@grpc/reflection/build/proto/grpc/reflection/v1', 'reflection.proto'],
] as const;

if (hasTool('protoc') && hasTool('python3-grpcio')) {
  test('a client in another language, generated from the contract alone, imports an image, watches it and reads everything', async (t) => {
    const stubs = await makeFolder(t);
    const generate = (input: string, files: readonly string[]): Promise<string> => run('sh', [
      '-c', 'exec protoc --plugin=protoc-gen-grpc_python="$(command -v grpc_python_plugin)" "$@"', 'protoc',
      input, `--python_out=${stubs}`, `--grpc_python_out=${stubs}`, ...files,
    ], root, process.env);
    const protos = (await readdir(path.join(root, 'proto/lehr/v1'))).filter((file) => file.endsWith('.proto'));
    // The compiled contract holds the well-known types too, which Debian's protoc does not bring.
    await generate(`--descriptor_set_in=${path.join(root, 'src/gen/descriptors.binpb')}`, protos.map((file) => `lehr/v1/${file}`));
    for (const [folder, file] of packaged) await generate(`-I${path.join(root, folder)}`, [file]);

    const image = rawDisk(1024 * 1024, 1);
    const source = await startSource(t);
    const server = await startServer(t, await makeFolder(t));
    const stdout = await run(python, [
      path.join(import.meta.dirname, 'python/client.py'), server.grpcAddress, source.serve('/disk', gives(image.bytes)), image.digest,
    ], root, { PATH: process.env['PATH'], PYTHONPATH: stubs, PYTHONDONTWRITEBYTECODE: '1' });
    t.deepEqual(JSON.parse(stdout), {
      health: { '': 'SERVING', 'lehr.v1.TaskService': 'SERVING', 'lehr.v1.ImageService': 'SERVING', 'lehr.v1.EventService': 'SERVING' },
      services: [
        'lehr.v1.EventService', 'lehr.v1.ImageService', 'lehr.v1.TaskService',
      ],
      methods: ['CancelTask', 'CreateTask', 'GetTask', 'ListTasks', 'WatchTasks'],
      repeated: true,
      state: 'STATE_SUCCEEDED',
      digest: image.digest,
      name: 'made from python',
      bytes: image.bytes.length,
      events: ['TaskCreated', 'AttemptStarted', 'StageCompleted', 'StageCompleted', 'ImageStored', 'TaskSucceeded'].map((type) => `lehr.v1.${type}`),
      refusal: ['NOT_FOUND', 'There is no task nobody.'],
    });
    t.is(source.count('/disk'), 1);
  });
}
