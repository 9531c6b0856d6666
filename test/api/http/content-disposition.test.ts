import test from 'ava';

import { contentDisposition } from '../../../src/api/http/content-disposition.ts';
import type { DiskFormat } from '../../../src/gen/lehr/v1/disk_format.ts';
import { Image } from '../../../src/gen/lehr/v1/image.ts';

const cases: readonly (readonly [name: string, format: DiskFormat, header: string])[] = [
  ['debian-12', 'DISK_FORMAT_QCOW2', 'attachment; filename="debian-12.qcow2"'],
  ['debian.qcow2', 'DISK_FORMAT_QCOW2', 'attachment; filename="debian.qcow2"'],
  ['debian.QCOW2', 'DISK_FORMAT_QCOW2', 'attachment; filename="debian.QCOW2"'],
  ['', 'DISK_FORMAT_ISO', 'attachment; filename="i-1.iso"'],
  ['x', 'UNRECOGNIZED', 'attachment; filename="x.raw"'],
  ['../../etc/passwd', 'DISK_FORMAT_RAW', 'attachment; filename="_.._etc_passwd.raw"'],
  ['.bashrc', 'DISK_FORMAT_RAW', 'attachment; filename="bashrc.raw"'],
  ['a"; filename=evil.exe', 'DISK_FORMAT_RAW',
    'attachment; filename="a__filename_evil.exe.raw"; filename*=UTF-8\'\'a_%3B%20filename%3Devil.exe.raw'],
  ['a\r\nSet-Cookie: x', 'DISK_FORMAT_RAW', 'attachment; filename="a_Set-Cookie__x.raw"; filename*=UTF-8\'\'a_Set-Cookie_%20x.raw'],
  ['größe', 'DISK_FORMAT_RAW', 'attachment; filename="gr_e.raw"; filename*=UTF-8\'\'gr%C3%B6%C3%9Fe.raw'],
  ['ディスク', 'DISK_FORMAT_RAW', 'attachment; filename="i-1.raw"; filename*=UTF-8\'\'%E3%83%87%E3%82%A3%E3%82%B9%E3%82%AF.raw'],
  ['a\u202egpj', 'DISK_FORMAT_RAW', 'attachment; filename="a_gpj.raw"'],
  ['\ud800x', 'DISK_FORMAT_RAW', 'attachment; filename="_x.raw"; filename*=UTF-8\'\'%EF%BF%BDx.raw'],
  ['😀'.repeat(200), 'DISK_FORMAT_RAW', `attachment; filename="i-1.raw"; filename*=UTF-8''${'%F0%9F%98%80'.repeat(120)}.raw`],
];

for (const [name, format, header] of cases) {
  test(`an image called ${JSON.stringify(name.slice(0, 30))} of ${format} is saved safely`, (t) => {
    t.is(contentDisposition(Image.create({ id: 'i-1', name, format })), header);
  });
}
