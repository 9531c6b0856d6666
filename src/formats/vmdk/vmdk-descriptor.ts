import { printable } from '../reading/printable.ts';
import { refuse } from '../refuse.ts';
import { checkVmdkExtent, vmdkExtentOf } from './vmdk-extent-line.ts';
import type { VmdkExtentLine } from './vmdk-extent-line.ts';

/** What an accepted descriptor says. */
export interface VmdkDescriptor {
  readonly createType: string;
  readonly extentSectors: bigint;
}

interface Setting {
  readonly value: string;
  readonly offset: number;
}

const keyLine = /^([A-Za-z][\w.]*)\s*=\s*(.*)$/;
/** The keys of the header section; those of the disk data base begin with `ddb.` and concern the virtual machine. */
const knownKeys: readonly string[] = ['version', 'encoding', 'cid', 'parentcid', 'isnativesnapshot', 'createtype', 'parentfilenamehint', 'changetrackpath'];
/** At most so many characters are read; real descriptors have under two thousand. */
export const vmdkDescriptorLimit = 64 * 1024;

const acceptedTypes: readonly string[] = ['monolithicSparse', 'streamOptimized'];

/**
 * Judges the text descriptor inside a sparse VMDK, `text` up to its first NUL, which begins at `offset` of the file; `kind`
 * is the create type that the header speaks of. The descriptor is the part that made readers open other files of the host
 * (CVE-2022-47951), so every line must be understood, each key may stand once, and the checks for paths come first, so that
 * an attack is called one.
 */
export function checkVmdkDescriptor(text: string, offset: number, kind: string): VmdkDescriptor {
  const keys = new Map<string, Setting>();
  const extents: VmdkExtentLine[] = [];
  checkCharacters(text, offset);
  for (const match of text.matchAll(/[^\r\n]+/g)) {
    const line = match[0].trim();
    const at = offset + match.index;
    if (line === '' || line.startsWith('#')) continue;
    const extent = vmdkExtentOf(line, at);
    const pair = keyLine.exec(line);
    const key = (pair?.[1] ?? '').toLowerCase();
    if (extent) {
      extents.push(extent);
    } else if (pair && (knownKeys.includes(key) || key.startsWith('ddb.'))) {
      if (keys.has(key)) refuse('vmdk.descriptor', `The descriptor has two lines for "${printable(key)}".`, { offset: at, value: printable(line) });
      keys.set(key, { value: (pair[2] ?? '').replace(/^"(.*)"$/, '$1'), offset: at });
    } else {
      refuse('vmdk.descriptor', `The descriptor has a line that is not understood: "${printable(line)}".`, { offset: at, value: printable(line) });
    }
  }
  checkNames(text, offset, keys, extents);
  return checkKind(keys, extents, offset, kind);
}

function checkCharacters(text: string, offset: number): void {
  if (text.length > vmdkDescriptorLimit) {
    refuse('vmdk.descriptor', `The descriptor has more than ${vmdkDescriptorLimit} characters.`, { offset, value: text.length });
  }
  const strange = /[^\t\n\r -~]|\r(?!\n)/.exec(text);
  if (strange === null) return;
  const code = strange[0].charCodeAt(0);
  refuse('vmdk.descriptor', 'The descriptor holds control characters, or others than ASCII.', { offset: offset + strange.index, value: code });
}

function checkNames(text: string, offset: number, keys: ReadonlyMap<string, Setting>, extents: readonly VmdkExtentLine[]): void {
  const names = [...extents.map(({ name, offset: at }) => ({ value: name, offset: at })), ...[keys.get('changetrackpath') ?? []].flat()];
  // Anything that could be a path or one of qemu's protocol prefixes; the name of an embedded extent is never opened.
  const suspicious = names.find(({ value }) => /[/\\:]|\.\./.test(value));
  if (suspicious !== undefined) {
    refuse('vmdk.extent_path', `The descriptor refers to "${printable(suspicious.value)}".`, { offset: suspicious.offset, value: printable(suspicious.value) });
  }
  // qemu looks for the word anywhere, in comments and in other words too (block/vmdk.c, vmdk_parent_open).
  const hint = /parentfilenamehint[^\r\n]*/i.exec(text);
  if (hint !== null) {
    const value = printable(hint[0]);
    refuse('vmdk.parent', `The image is only the difference to another file: "${value}".`, { offset: offset + hint.index, value });
  }
  const parent = keys.get('parentcid');
  if (parent !== undefined && parent.value.toLowerCase() !== 'ffffffff') {
    const value = printable(parent.value);
    refuse('vmdk.parent', `The image is only the difference to the image with the content ID ${value}.`, { offset: parent.offset, value });
  }
}

function checkKind(keys: ReadonlyMap<string, Setting>, extents: readonly VmdkExtentLine[], offset: number, kind: string): VmdkDescriptor {
  const createType = keys.get('createtype');
  if (createType === undefined) return refuse('vmdk.descriptor', 'The descriptor names no create type.', { offset, value: '' });
  const seen = { offset: createType.offset, value: printable(createType.value) };
  if (!acceptedTypes.includes(createType.value)) refuse('vmdk.create_type', `The VMDK is of the kind "${seen.value}".`, seen);
  const extent = checkVmdkExtent(extents, offset);
  if (createType.value !== kind) refuse('vmdk.descriptor', `The descriptor says ${seen.value}, but the header speaks of ${kind}.`, seen);
  for (const key of ['cid', 'parentcid']) {
    const id = keys.get(key);
    if (id !== undefined && /^[0-9a-f]{1,8}$/i.test(id.value)) continue;
    const value = printable(id?.value ?? '');
    refuse('vmdk.descriptor', `The descriptor has no content ID, its own or its parent's: "${value}".`, { offset: id?.offset ?? offset, value });
  }
  return { createType: createType.value, extentSectors: extent.sizeSectors };
}
