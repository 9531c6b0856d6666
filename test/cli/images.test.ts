import test from 'ava';

import { Image } from '../../src/gen/lehr/v1/image.ts';
import type { ListImagesRequest, UpdateImageRequest } from '../../src/gen/lehr/v1/image_service.ts';
import { digest, image, taskId } from './fixtures.ts';
import { runLehr } from './run-lehr.ts';
import { startStub } from './stub-server.ts';

/** A day and a half ago. */
const recently = new Date(Date.now() - 36 * 3_600_000);

test.serial('images list shows sizes for people and escapes what could control a terminal', async (t) => {
  const images: Image[] = [{ ...image, createTime: recently }, { ...image, name: '\u001b]0;owned\u0007 日本', sizeBytes: 512n, tags: [], createTime: recently }];
  const stub = await startStub({ listImages: () => ({ images, nextPageToken: '' }) });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['images', 'list', '--server', stub.address]), {
    exitCode: 0, stderr: '',
    stdout: [
      'ID                                    NAME                  FORMAT     SIZE      DISK  AGE     TAGS',
      `${taskId}  web                   qcow2   1.2 GiB  20.0 GiB  1d ago  linux, stable`,
      `${taskId}  \\e]0;owned\\u{7} 日本  qcow2     512 B  20.0 GiB  1d ago`,
      '',
    ].join('\n'),
  });
});

test.serial('images list turns its options into a filter', async (t) => {
  const requests: ListImagesRequest[] = [];
  const stub = await startStub({
    listImages: (request) => {
      requests.push(request);
      return { images: [], nextPageToken: '' };
    },
  });
  t.teardown(stub.kill);
  await runLehr(['images', 'list', '--name', 'web', '--format', 'raw', '--tag', 'a', '--tag', 'b', '--property', 'os=x', '--server', stub.address]);
  t.deepEqual(requests.map(({ filter, pageSize }) => [filter, pageSize]), [
    ['name = "web" AND format = DISK_FORMAT_RAW AND tags:"a" AND tags:"b" AND properties.os = "x"', 50],
  ]);
});

test.serial('images show prints everything about an image', async (t) => {
  const stub = await startStub({ getImage: () => ({ image: { ...image, createTime: recently, updateTime: undefined } }) });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['images', 'show', taskId, '--server', stub.address]), {
    exitCode: 0, stderr: '',
    stdout: [
      `image       ${taskId}`,
      'name        web',
      'format      qcow2',
      'size        1.2 GiB (1288490188 bytes)',
      'disk size   20.0 GiB (21474836480 bytes)',
      `digest      ${digest}`,
      'tags        linux, stable',
      'properties  os_distro=debian',
      'warnings    raw.unrecognised_content',
      'owner       default',
      `task        ${taskId}`,
      'revision    1',
      `created     ${recently.toISOString()} (1d ago)`,
      '',
    ].join('\n'),
  });
});

test.serial('images show tells where a clone came from, and the image that it was cloned from', async (t) => {
  const provenance = {
    sourceUri: '', sourceRegion: 'dfw', sourceImageId: taskId, originSourceUri: 'https://example.com/web.qcow2', originSourceRegion: '', originSourceImageId: taskId,
  };
  const stub = await startStub({ getImage: () => ({ image: { ...image, provenance, createTime: recently } }) });
  t.teardown(stub.kill);
  const { stdout } = await runLehr(['images', 'show', taskId, '--server', stub.address]);
  t.deepEqual(stdout.split('\n').filter((line) => /^(source|origin| )/.test(line)), [
    `source      image ${taskId} of region dfw`,
    `origin      image ${taskId}`,
    '            https://example.com/web.qcow2',
  ]);
});

test.serial('images show --json prints one object in the JSON mapping of protobuf', async (t) => {
  const stub = await startStub({ getImage: () => ({ image }) });
  t.teardown(stub.kill);
  const ran = await runLehr(['images', 'show', taskId, '--json', '--server', stub.address]);
  t.deepEqual(JSON.parse(ran.stdout), {
    id: taskId, owner: 'default', name: 'web', tags: ['linux', 'stable'], properties: { os_distro: 'debian' }, format: 'DISK_FORMAT_QCOW2',
    sizeBytes: '1288490188', virtualSizeBytes: '21474836480', digest, warnings: ['raw.unrecognised_content'], taskId, revision: '1',
    createTime: '2026-01-02T03:04:05.678Z', updateTime: '2026-01-02T03:04:05.678Z',
  });
});

const updates: readonly (readonly [
  args: readonly string[], name: string, tags: string[], properties: Record<string, string>, mask: string[],
])[] = [
  [['--name', 'new'], 'new', [], {}, ['name']],
  [['--tag', 'a', '--remove-tag', 'stable'], '', ['linux', 'a'], { os_distro: 'debian' }, ['tags']],
  [['--property', 'os_version=12', '--remove-property', 'os_distro'], '', ['linux', 'stable'], { os_version: '12' }, ['properties']],
  [['--name', '', '--remove-tag', 'linux', '--remove-tag', 'stable'], '', [], { os_distro: 'debian' }, ['name', 'tags']],
];

for (const [args, name, tags, properties, updateMask] of updates) {
  test.serial(`images update ${args.join(' ')} changes ${updateMask.join(' and ')} and nothing else`, async (t) => {
    const requests: UpdateImageRequest[] = [];
    const stub = await startStub({
      getImage: () => ({ image }),
      updateImage: (request) => {
        requests.push(request);
        return { image, readToken: '' };
      },
    });
    t.teardown(stub.kill);
    t.is((await runLehr(['images', 'update', taskId, ...args, '--server', stub.address])).exitCode, 0);
    t.deepEqual(requests, [{ image: Image.fromPartial({ id: taskId, name, tags, properties }), updateMask }]);
  });
}

test.serial('images update without a change is refused before anything is sent', async (t) => {
  t.deepEqual(await runLehr(['images', 'update', taskId]), {
    exitCode: 2, stdout: '', stderr: 'lehr: say what to change: --name, --tag, --remove-tag, --property or --remove-property\n',
  });
});

test.serial('images delete names what it deleted', async (t) => {
  const stub = await startStub({ deleteImage: () => ({ image, readToken: '' }) });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['images', 'delete', taskId, '--server', stub.address]), {
    exitCode: 0, stderr: '', stdout: `image ${taskId} (web) deleted\n`,
  });
});
