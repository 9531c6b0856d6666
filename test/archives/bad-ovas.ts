import type { CheckName } from '../../src/formats/check-table.ts';
import { text } from '../formats/build/change.ts';
import type { Change } from '../formats/build/change.ts';
import { buildOva, buildTar, descriptor, manifestOf } from './build-ova.ts';
import type { BuildMember, DescriptorText } from './build-ova.ts';

/** An archive that must be refused, and by which check. */
export interface BadOva {
  readonly check: CheckName;
  readonly name: string;
  readonly build: () => Buffer;
}

const ovf: BuildMember = { name: 'vm.ovf', content: Buffer.from(descriptor()) };
const disk: BuildMember = { name: 'disk.vmdk', content: Buffer.alloc(1536, 'disk') };
const small = Buffer.from('x');

const bad = (check: CheckName, name: string, build: () => Buffer): BadOva => ({ check, name, build });
const withMember = (check: CheckName, name: string, member: BuildMember): BadOva => bad(check, name, () => buildOva({ more: [member] }));
const named = (what: string, name: string): BadOva => withMember('ova.member_name', `a member with ${what}`, { name, content: small });
const typed = (what: string, type: string): BadOva => withMember('ova.member_type', what, { name: 'other', content: small, type });
const described = (check: CheckName, name: string, says: DescriptorText): BadOva =>
  bad(check, name, () => buildOva({ descriptor: descriptor(says) }));
const pax = (key: string, value: string): BuildMember => ({ name: 'pax', type: 'x', content: Buffer.from(paxRecord(key, value)) });
const size = (value: string): Change => text(124, value);

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = rest.length + String(rest.length + 2).length;
  return `${length}${rest}`;
}

/** Unsafe and broken OVAs; every check `ova.…` has one at least. */
export const badOvas: readonly BadOva[] = [
  bad('ova.archive', 'a header with a wrong checksum', () => buildTar([ovf, { ...disk, spoil: text(0, 'D') }])),
  bad('ova.archive', 'a member that is larger than the archive', () => buildTar([ovf, { ...disk, change: size('77777777777\0') }])),
  bad('ova.archive', 'a member whose size is no number', () => buildTar([ovf, { ...disk, change: size('-0000000001\0') }])),
  bad('ova.archive', 'a member of 2^88 bytes', () => buildTar([ovf, { ...disk, change: size('\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff') }])),
  bad('ova.archive', 'a negative size', () => buildTar([ovf, { ...disk, change: size('\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff') }])),
  bad('ova.archive', 'an archive without an end', () => buildTar([ovf, disk], Buffer.alloc(0))),
  bad('ova.archive', 'something behind the end', () => buildTar([ovf, disk], Buffer.concat([Buffer.alloc(1024), small]))),
  bad('ova.archive', 'an archive whose first member is no descriptor', () => buildTar([disk, ovf])),
  bad('ova.archive', 'no members', () => buildTar([])),
  bad('ova.archive', 'two manifests', () => buildOva({ more: [{ name: 'other.mf', content: small }] })),
  bad('ova.archive', 'an extended header of a wrong shape', () => buildTar([ovf, { name: 'pax', type: 'x', content: Buffer.from('99 path=x\n') }, disk])),
  bad('ova.archive', 'an extended header with a size that is none', () => buildTar([ovf, pax('size', '-1'), disk])),
  bad('ova.archive', 'an extended header with a size beyond the archive', () => buildTar([ovf, pax('size', '9007199254740991'), disk])),
  named('an absolute name', '/etc/passwd'),
  named('a name that leads out of the folder', '../vm.conf'),
  named('a name that leads out in its middle', 'a/../../vm.conf'),
  named('a name in a folder', 'folder/file'),
  named('a name of Windows', 'C:\\boot.ini'),
  named('the name of its folder', '..'),
  named('an escape sequence in its name', 'a\x1b[2Jb'),
  bad('ova.member_name', 'an absolute name in an extended header', () => buildTar([ovf, pax('path', '/etc/passwd'), disk])),
  bad('ova.member_name', 'a name that leads out of the folder in a GNU long name', () =>
    buildTar([ovf, { name: '././@LongLink', type: 'L', content: Buffer.from('../x\0') }, disk])),
  typed('a hard link', '1'), typed('a symbolic link', '2'), typed('a character device', '3'), typed('a block device', '4'),
  typed('a folder', '5'), typed('a pipe', '6'), typed('a sparse file', 'S'), typed('a global extended header', 'g'),
  bad('ova.member_type', 'a sparse file by an extended header', () => buildTar([ovf, pax('GNU.sparse.major', '1'), disk])),
  bad('ova.duplicate_member', 'two disks of one name', () => buildTar([ovf, disk, disk])),
  bad('ova.duplicate_member', 'two disks of one name but for case', () => buildTar([ovf, disk, { ...disk, name: 'DISK.vmdk' }])),
  bad('ova.limits', 'a hundred members', () => buildOva({ more: Array.from({ length: 100 }, (_, index) => ({ name: `f${index}`, content: small })) })),
  bad('ova.limits', 'a descriptor of 2 MiB', () => buildOva({ descriptor: descriptor({ before: `<!--${' '.repeat(2 * 1024 * 1024)}-->` }) })),
  bad('ova.limits', 'a manifest of 100 kB', () => buildOva({ manifest: '\n'.repeat(100_000) })),
  bad('ova.limits', 'an extended header of 100 kB', () => buildTar([ovf, pax('comment', 'x'.repeat(100_000)), disk])),
  bad('ova.limits', 'five extended headers before one member', () => buildTar([ovf, ...Array.from({ length: 5 }, () => pax('comment', 'x')), disk])),
  bad('ova.limits', 'a descriptor of 30,000 elements', () => buildOva({ descriptor: descriptor().replace('<References>', `${'<a/>'.repeat(30_000)}<References>`) })),
  described('ova.descriptor', 'a document type', { before: '<!DOCTYPE Envelope SYSTEM "http://169.254.169.254/x.dtd">' }),
  described('ova.descriptor', 'entities that grow', { before: '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' }),
  described('ova.descriptor', 'an entity that nobody defined', { file: 'ovf:id="file1" ovf:href="&xxe;"' }),
  described('ova.descriptor', 'an entity named like a property', { file: 'ovf:id="file1" ovf:href="&constructor;"' }),
  described('ova.descriptor', 'an attribute given twice', { file: 'ovf:id="file1" ovf:href="disk.vmdk" ovf:href="other.vmdk"' }),
  bad('ova.descriptor', 'no XML', () => buildOva({ descriptor: '<<<' })),
  bad('ova.descriptor', 'another document', () => buildOva({ descriptor: '<html></html>' })),
  bad('ova.descriptor', 'no text at all', () => buildOva({ descriptor: '' })),
  bad('ova.descriptor', 'a descriptor that is no UTF-8', () => buildTar([{ ...ovf, content: Buffer.from(descriptor(), 'utf16le') }, disk])),
  described('ova.file_reference', 'a disk at a URL', { file: 'ovf:id="file1" ovf:href="http://169.254.169.254/latest/meta-data"' }),
  described('ova.file_reference', 'a disk at a file URL', { file: 'ovf:id="file1" ovf:href="file:///etc/passwd"' }),
  described('ova.file_reference', 'a disk by an absolute path', { file: 'ovf:id="file1" ovf:href="/etc/passwd"' }),
  described('ova.file_reference', 'a disk outside of the folder', { file: 'ovf:id="file1" ovf:href="../disk.vmdk"' }),
  described('ova.file_reference', 'a disk that is not there', { file: 'ovf:id="file1" ovf:href="other.vmdk"' }),
  described('ova.file_reference', 'a disk without a place', { file: 'ovf:id="file1"' }),
  described('ova.file_reference', 'a file that is not there', { disk: 'ovf:diskId="d" ovf:fileRef="file2"' }),
  described('ova.file_reference', 'two files of one id', { file: 'ovf:id="file1" ovf:href="disk.vmdk"/><File ovf:id="file1" ovf:href="vm.mf"' }),
  described('ova.file_reference', 'a disk that is the difference to another', { disk: 'ovf:fileRef="file1" ovf:diskId="d" ovf:parentRef="vmdisk0"' }),
  described('ova.disk_count', 'two disks', { disk: 'ovf:diskId="a" ovf:fileRef="file1"/><Disk ovf:diskId="b" ovf:fileRef="file1"' }),
  described('ova.disk_count', 'no disk with content', { disk: 'ovf:diskId="a"' }),
  described('ova.chunked_file', 'a disk in chunks', { file: 'ovf:id="file1" ovf:href="disk.vmdk" ovf:chunkSize="1000"' }),
  described('ova.compression', 'a disk compressed with bzip2', { file: 'ovf:id="file1" ovf:href="disk.vmdk" ovf:compression="bzip2"' }),
  bad('ova.manifest', 'a digest that is wrong', () => buildOva({ manifest: manifestOf([ovf, disk]).replace(/[0-9a-f]{4}\n$/, '0000\n') })),
  bad('ova.manifest', 'a disk that the manifest leaves out', () => buildOva({ manifest: manifestOf([ovf]) })),
  bad('ova.manifest', 'a file that is not there', () => buildOva({ manifest: manifestOf([ovf, disk, { name: 'other', content: small }]) })),
  bad('ova.manifest', 'a line that is none', () => buildOva({ manifest: `${manifestOf([ovf, disk])}MD5(vm.ovf)= 00\n` })),
  bad('ova.manifest', 'a file that is named twice', () => buildOva({ manifest: manifestOf([ovf, disk, disk]) })),
];
