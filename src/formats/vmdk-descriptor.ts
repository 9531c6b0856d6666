import { printable } from './printable.ts';
import { refuse } from './refuse.ts';

/** What an accepted descriptor says. */
export interface VmdkDescriptor {
  readonly createType: string;
  readonly extentSectors: bigint;
}

interface Extent {
  readonly sizeSectors: bigint;
  readonly type: string;
  readonly name: string;
}

/** Anything that could be a path or one of qemu's protocol prefixes; the name of an embedded extent is never opened. */
const suspiciousName = /[/\\:]|\.\./;
const keyLine = /^([A-Za-z][\w.]*)\s*=\s*(.*)$/;
const extentLine = /^(?:RW|RDONLY|NOACCESS)\s+(\d{1,19})\s+([A-Za-z]\w*)(?:\s+"([^"]*)")?(?:\s+\d{1,19}|\s+partitionUUID\s+\S+|\s+device\s+\S+)*$/;
/** At most so many characters are read; real descriptors have under two thousand. */
export const vmdkDescriptorLimit = 64 * 1024;

const acceptedTypes: readonly string[] = ['monolithicSparse', 'streamOptimized'];

/**
 * Judges the text descriptor inside a sparse VMDK, `text` up to its first NUL. It is the part that made readers open
 * other files of the host (CVE-2022-47951), so every line must be understood, each key may stand once, and the checks
 * for paths come first, so that an attack is called one.
 */
export function checkVmdkDescriptor(text: string): VmdkDescriptor {
  const keys = new Map<string, string>();
  const extents: Extent[] = [];
  if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) refuse('vmdk.descriptor', 'The descriptor holds control characters.');
  if (text.length > vmdkDescriptorLimit) refuse('vmdk.descriptor', `The descriptor has more than ${vmdkDescriptorLimit} characters.`);
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const extent = extentLine.exec(line);
    const pair = keyLine.exec(line);
    if (extent) {
      extents.push({ sizeSectors: BigInt(extent[1] ?? 0), type: (extent[2] ?? '').toUpperCase(), name: extent[3] ?? '' });
    } else if (pair) {
      const key = (pair[1] ?? '').toLowerCase();
      if (keys.has(key)) refuse('vmdk.descriptor', `The descriptor has two lines for "${printable(key)}".`);
      keys.set(key, (pair[2] ?? '').replace(/^"(.*)"$/, '$1'));
    } else {
      refuse('vmdk.descriptor', `The descriptor has a line that is not understood: "${printable(line)}".`);
    }
  }
  checkNames(keys, extents);
  return checkKind(keys, extents);
}

function checkNames(keys: ReadonlyMap<string, string>, extents: readonly Extent[]): void {
  const names = [...extents.map(({ name }) => name), keys.get('changetrackpath') ?? ''];
  const suspicious = names.find((name) => suspiciousName.test(name));
  if (suspicious !== undefined) {
    refuse('vmdk.extent_path', `The descriptor refers to "${printable(suspicious)}".`, { value: printable(suspicious) });
  }
  const parent = keys.get('parentfilenamehint');
  if (parent !== undefined) refuse('vmdk.parent', `The image is only the difference to "${printable(parent)}".`);
  const parentId = keys.get('parentcid') ?? 'ffffffff';
  if (parentId.toLowerCase() !== 'ffffffff') {
    refuse('vmdk.parent', `The image is only the difference to the image with the content ID ${printable(parentId)}.`);
  }
}

function checkKind(keys: ReadonlyMap<string, string>, extents: readonly Extent[]): VmdkDescriptor {
  const createType = keys.get('createtype');
  if (createType === undefined) return refuse('vmdk.descriptor', 'The descriptor names no create type.');
  if (!acceptedTypes.includes(createType)) {
    refuse('vmdk.create_type', `The VMDK is of the kind "${printable(createType)}".`, { value: printable(createType) });
  }
  const [extent, ...others] = extents;
  if (extent === undefined) return refuse('vmdk.descriptor', 'The descriptor names no extent.');
  if (others.length > 0) refuse('vmdk.extents', `The disk is split into ${extents.length} extents.`, { value: extents.length.toString() });
  if (extent.type !== 'SPARSE') {
    refuse('vmdk.extent_type', `The extent is of type ${printable(extent.type)}: its data would be read from another file.`, {
      value: printable(extent.type),
    });
  }
  return { createType, extentSectors: extent.sizeSectors };
}
