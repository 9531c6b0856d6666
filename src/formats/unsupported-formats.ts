import type { CheckName } from './check-table.ts';
import type { Edges } from './reading/edges.ts';
import { beginsWith, hasAt } from './reading/signature.ts';
import { isVmdkText } from './vmdk/vmdk-text.ts';

/** A disk format that other programs open and this server refuses. */
export interface UnsupportedFormat {
  readonly name: string;
  readonly check: CheckName;
  readonly matches: (edges: Edges) => boolean;
  /** Where its magic is, in bytes; asked only for what matches. */
  readonly offset: (edges: Edges) => number;
}

const begins = (name: string, ...magics: readonly string[]): UnsupportedFormat => ({
  name,
  check: 'format.unsupported',
  matches: ({ head }) => beginsWith(head, ...magics),
  offset: () => 0,
});

/**
 * Whatever qemu could take for a disk image beside the accepted formats, and other known ones. They are recognised so
 * that none slips through as raw: a later program that probes would open it by another driver than was inspected
 * (CVE-2015-5163 and its kind). The first version of qcow is refused by `qcow2.version`.
 */
export const unsupportedFormats: readonly UnsupportedFormat[] = [
  {
    name: 'LUKS encrypted disk',
    check: 'luks.encryption',
    matches: ({ head }) => luksOffset(head) !== undefined,
    offset: ({ head }) => luksOffset(head) ?? 0,
  },
  { name: 'VMDK descriptor without its data', check: 'format.unsupported', matches: ({ head }) => isVmdkText(head), offset: () => 0 },
  begins('VMDK of ESX (COWD)', 'COWD'),
  begins('VMDK of vSphere (SESparse)', '\xbe\xba\xfe\xca\0\0\0\0'),
  begins('QED', 'QED\0'),
  begins('Parallels disk', 'WithoutFreeSpace', 'WithouFreSpacExt'),
  begins('Bochs disk', 'Bochs Virtual HD Image'),
  begins('compressed loop image (cloop)', '#!/bin/sh\n#V2.0 Format\n'),
  {
    name: 'Apple disk image (DMG)',
    check: 'format.unsupported',
    matches: ({ head, tail }) => hasAt(tail, 0, 'koly') || beginsWith(head, 'koly\0\0\0\x04'),
    offset: ({ tail, sizeBytes }) => (hasAt(tail, 0, 'koly') ? (sizeBytes ?? tail.length) - tail.length : 0),
  },
  begins('Apple sparse image', 'sprs\0\0\0', 'shdw'),
  begins('encrypted Apple disk image', 'encrcdsa', 'cdsaencr'),
  begins('Expert Witness disk (EWF)', 'EVF\x09\x0d\x0a\xff\0', 'LVF\x09\x0d\x0a\xff\0', 'EVF2\x0d\x0a\x81\0', 'LEF2\x0d\x0a\x81\0'),
  begins('Advanced Forensic Format disk', 'AFF10\r\n\0'),
  begins('Android sparse image', '\x3a\xff\x26\xed'),
  begins('QEMU saved machine state', 'QEVM', 'LibvirtQemudSave'),
  begins('partclone image', 'partclone-image'),
  begins('raw CD image with 2352-byte sectors', '\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0'),
];

/** Where LUKS 1 or 2 begins (LUKS2 On-Disk Format Specification, 2.1), or the second header that version 2 keeps as a reserve. */
function luksOffset(head: Uint8Array): number | undefined {
  if (beginsWith(head, 'LUKS\xba\xbe')) return 0;
  return [0x4000, 0x8000, 0x10000, 0x20000, 0x40000].find((offset) => hasAt(head, offset, 'SKUL\xba\xbe'));
}
