import test from 'ava';

import { hasTool } from './has-tool.ts';

test('a tool is there when the test command says so, and only then', (t) => {
  const before = process.env['TEST_TOOLS'];
  try {
    process.env['TEST_TOOLS'] = 'qemu-img,protoc';
    t.deepEqual([hasTool('qemu-img'), hasTool('python3-grpcio'), hasTool('protoc')], [true, false, true]);
    process.env['TEST_TOOLS'] = '';
    t.deepEqual([hasTool('qemu-img'), hasTool('python3-grpcio'), hasTool('protoc')], [false, false, false]);
  } finally {
    if (before === undefined) delete process.env['TEST_TOOLS'];
    else process.env['TEST_TOOLS'] = before;
  }
});
