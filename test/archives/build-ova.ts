import { createHash } from 'node:crypto';

import type { Change } from '../formats/build/change.ts';

/** A member of an archive to build; `change` may spoil its header before the checksum is taken. */
export interface BuildMember {
  readonly name: string;
  readonly content: Uint8Array;
  readonly type?: string;
  readonly change?: Change;
  /** Spoils the header after that. */
  readonly spoil?: Change;
}

/** A tar archive, ustar, with two blocks of zeros at its end (and `tail` behind them). */
export function buildTar(members: readonly BuildMember[], tail: Uint8Array = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...members.flatMap(buildMember), tail]);
}

function buildMember({ name, content, type = '0', change, spoil }: BuildMember): readonly Buffer[] {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(type, 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  change?.(header);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  spoil?.(header);
  return [header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)];
}

/** What a descriptor says of its disk. */
export interface DescriptorText {
  readonly file?: string;
  readonly disk?: string;
  readonly before?: string;
}

/** An OVF descriptor of a machine with one disk, `disk.vmdk`. */
export function descriptor({ file = 'ovf:id="file1" ovf:href="disk.vmdk"', disk = 'ovf:diskId="vmdisk1" ovf:fileRef="file1"', before = '' }: DescriptorText = {}): string {
  return `<?xml version="1.0" encoding="UTF-8"?>${before}
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" ovf:version="1.0">
  <!-- <File ovf:id="file1" ovf:href="http://169.254.169.254/"/> a comment is no element -->
  <References><File ${file}/></References>
  <DiskSection><Info>Disks &amp; more: a > b</Info>
    <Disk ${disk} ovf:capacity="8" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
    <Disk ovf:diskId="empty" ovf:capacity="100"/>
  </DiskSection>
  <VirtualSystem ovf:id="vm"><Name><![CDATA[<Disk ovf:fileRef="x"/>]]></Name></VirtualSystem>
</Envelope>
`;
}

/** The manifest of these members. */
export function manifestOf(members: readonly BuildMember[], algorithm = 'SHA256'): string {
  return members.map(({ name, content }) => `${algorithm}(${name})= ${createHash(algorithm.toLowerCase()).update(content).digest('hex')}\n`).join('');
}

/** How an OVA differs from a sound one. */
export interface OvaChanges {
  readonly disk?: Uint8Array;
  readonly descriptor?: string;
  readonly manifest?: string;
  readonly more?: readonly BuildMember[];
}

/** An OVA: descriptor, manifest, disk, and more. */
export function buildOva({ disk = Buffer.alloc(1536, 'disk'), descriptor: text = descriptor(), manifest, more = [] }: OvaChanges = {}): Buffer {
  const files = [{ name: 'vm.ovf', content: Buffer.from(text) }, { name: 'disk.vmdk', content: disk }];
  return buildTar([files[0]!, { name: 'vm.mf', content: Buffer.from(manifest ?? manifestOf(files)) }, files[1]!, ...more]);
}
