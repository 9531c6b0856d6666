import { Fields } from '../reading/fields.ts';
import { printable } from '../reading/printable.ts';
import { hasAt } from '../reading/signature.ts';

/** Where the system area ends and the descriptors begin (ECMA-119, 6.2.1), and the step from one to the next, in bytes. */
export const isoDescriptorOffset = 32 * 1024;
export const isoSectorBytes = 2048;

/** At most so many descriptors are looked at; real discs have two to six. */
export const isoDescriptorLimit = 32;

/** What the volume descriptors say. `primary` is absent on a disc with nothing but UDF, or a broken one. */
export interface IsoVolume {
  readonly isUdf: boolean;
  readonly isBootable: boolean;
  readonly primary?: { readonly offset: number; readonly volumeId: string; readonly blocks: number; readonly blockBytes: number };
}

/** Whether a descriptor of ISO 9660 or the beginning of a UDF recognition sequence (ECMA-167, 2/9) is in its place. */
export function hasIsoDescriptor(head: Uint8Array): boolean {
  return hasAt(head, isoDescriptorOffset + 1, 'CD001') || readIsoVolume(head).isUdf;
}

/** Reads the descriptors of a head; those that are cut off are left out. */
export function readIsoVolume(head: Uint8Array): IsoVolume {
  let volume: IsoVolume = { isUdf: false, isBootable: false };
  let isUdfArea = false;
  for (let index = 0; index < isoDescriptorLimit; index += 1) {
    const at = isoDescriptorOffset + index * isoSectorBytes;
    const descriptor = head.subarray(at, at + isoSectorBytes);
    if (descriptor.length < isoSectorBytes) break;
    const type = descriptor[0];
    if (hasAt(descriptor, 1, 'CD001')) {
      if (type === 0 && hasAt(descriptor, 7, 'EL TORITO SPECIFICATION')) volume = { ...volume, isBootable: true };
      if (type === 1 && !volume.primary) volume = { ...volume, primary: readPrimary(descriptor, at) };
    } else if (hasAt(descriptor, 1, 'BEA01')) {
      isUdfArea = true;
    } else if (hasAt(descriptor, 1, 'NSR02') || hasAt(descriptor, 1, 'NSR03')) {
      if (isUdfArea) volume = { ...volume, isUdf: true };
    } else if (!hasAt(descriptor, 1, 'TEA01') && !hasAt(descriptor, 1, 'BOOT2')) {
      break;
    }
  }
  return volume;
}

function readPrimary(descriptor: Uint8Array, offset: number): NonNullable<IsoVolume['primary']> {
  const fields = new Fields(descriptor, 'ISO 9660 volume descriptor', offset);
  return {
    offset,
    volumeId: printable(fields.text(40, 32).trimEnd()),
    blocks: fields.u32le(80),
    blockBytes: fields.u16le(128),
  };
}
