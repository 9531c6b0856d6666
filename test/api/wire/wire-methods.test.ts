import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import test from 'ava';

import { loadDescriptors } from '../../../src/api/wire/descriptors.ts';
import { wireMethods } from '../../../src/api/wire/wire-methods.ts';
import { stubServices } from '../doors-stub.ts';

const { registry, files } = loadDescriptors();
const methods = wireMethods(stubServices(), registry);

test('every method of the protos is served, each in its kind', (t) => {
  const described = ['lehr.v1.TaskService', 'lehr.v1.ImageService', 'lehr.v1.EventService'].flatMap((name) =>
    registry.getService(name)?.methods.map((method) => `${method.methodKind} /${name}/${method.name}`) ?? []);
  t.deepEqual(methods.map(({ kind, path }) => `${kind === 'unary' ? 'unary' : 'server_streaming'} ${path}`).sort(), described.sort());
});

test('reads are free of side effects, so that GET works', (t) => {
  const free = [...registry].flatMap((type) => (type.kind === 'service' ? type.methods : []))
    .filter(({ idempotency }) => idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS).map(({ name }) => name);
  t.deepEqual(free.sort(), ['GetImage', 'GetTask', 'ListEvents', 'ListImages', 'ListTasks', 'VerifyEvents']);
});

test('the descriptors hold what reflection serves, dependencies too', (t) => {
  for (const name of ['lehr/v1/task_service.proto', 'google/protobuf/timestamp.proto']) t.true(files.some((file) => file.includes(name)), name);
});
