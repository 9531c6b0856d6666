import { printable } from '../formats/reading/printable.ts';
import { refuse } from '../formats/refuse.ts';
import type { TarMember } from './tar-members.ts';
import { isPlainName } from './tar-members.ts';
import { readXmlElements } from './xml-elements.ts';
import type { XmlElement } from './xml-elements.ts';

/** Larger ones are no descriptors; those of real appliances have some ten thousand bytes. */
export const descriptorLimitBytes = 1024 * 1024;

/** The one disk that a descriptor names. */
export interface OvfDisk {
  readonly member: TarMember;
  readonly isGzip: boolean;
}

/**
 * Finds the one disk of an OVF descriptor (DSP0243 2.1, 7.1 and 9.1) among the members of its archive. A reference leads to a
 * member by its name and to nothing else: a URL there made a server of another project fetch what an image's author wanted
 * (Glance bug 2138675).
 */
export function findOvfDisk(document: string, { offset }: TarMember, members: readonly TarMember[]): OvfDisk {
  const elements = readXmlElements(document, offset);
  if (elements[0]?.name !== 'Envelope') {
    const value = printable(elements[0]?.name ?? '');
    refuse('ova.descriptor', `The descriptor's first element is "${value}", not an OVF envelope.`, { offset, value });
  }
  const disks = elements.filter(({ name, attributes }) => name === 'Disk' && attributes.has('fileRef'));
  const [disk] = disks;
  if (disk === undefined || disks.length > 1) {
    refuse('ova.disk_count', `The appliance has ${disks.length} disks with content, where one is taken.`, { offset, value: disks.length });
  }
  if (disk.attributes.has('parentRef')) {
    const value = printable(disk.attributes.get('parentRef') ?? '');
    refuse('ova.file_reference', `The disk is the difference to another one, "${value}".`, { offset, value });
  }
  const id = disk.attributes.get('fileRef') ?? '';
  const files = elements.filter(({ name, attributes }) => name === 'File' && attributes.get('id') === id);
  const [file] = files;
  if (file === undefined || files.length > 1) {
    refuse('ova.file_reference', `The disk refers to the file "${printable(id)}", of which there are ${files.length}.`, { offset, value: files.length });
  }
  if (file.attributes.has('chunkSize')) {
    const value = printable(file.attributes.get('chunkSize') ?? '');
    refuse('ova.chunked_file', `The disk is cut into several files of ${value} bytes.`, { offset, value });
  }
  return { member: memberOf(file, offset, members), isGzip: isGzip(file, offset) };
}

function memberOf(file: XmlElement, offset: number, members: readonly TarMember[]): TarMember {
  const href = file.attributes.get('href') ?? '';
  const value = printable(href);
  const name = href.replace(/^\.\//, '');
  if (!isPlainName(name)) refuse('ova.file_reference', `The disk is said to lie at "${value}", which is no file of the archive.`, { offset, value });
  const member = members.find((candidate) => candidate.name === name);
  return member ?? refuse('ova.file_reference', `The disk is said to be the file "${value}", which the archive does not have.`, { offset, value });
}

function isGzip(file: XmlElement, offset: number): boolean {
  const compression = file.attributes.get('compression') ?? 'identity';
  if (compression === 'gzip') return true;
  if (compression === 'identity' || compression === '') return false;
  const value = printable(compression);
  return refuse('ova.compression', `The disk is compressed by "${value}".`, { offset, value });
}
