import type { DiskFormat } from '../../gen/lehr/v1/disk_format.ts';
import type { Edges } from '../reading/edges.ts';
import { iso } from '../iso/iso.ts';
import { raw } from '../raw.ts';
import { magicFormats } from '../recognise.ts';
import { refuse } from '../refuse.ts';
import { beginsWith } from '../reading/signature.ts';
import { unsupportedFormats } from '../unsupported-formats.ts';
import { vdi } from '../vdi/vdi.ts';
import { vhd } from '../vhd/vhd.ts';

/** A disk image as the guest's disk of another. `offset`: where in the guest's disk its magic is, in bytes. */
export interface NestedFormat {
  readonly check: 'nested_format' | 'luks.encryption';
  readonly name: string;
  readonly offset: number;
}

/**
 * The image format that a guest's disk is of as a whole, by its two ends; undefined for what a disk usually holds. A disc
 * (ISO 9660, UDF) is no image here: it is read as it is wherever it lies.
 */
export function nestedFormatOf(edges: Edges): NestedFormat | undefined {
  const unsupported = unsupportedFormats.find((format) => format.matches(edges));
  if (unsupported) {
    const check = unsupported.check === 'luks.encryption' ? 'luks.encryption' : 'nested_format';
    return { check, name: unsupported.name, offset: unsupported.offset(edges) };
  }
  const format = magicFormats.find((candidate) => candidate !== iso && candidate.recognise(edges));
  if (!format) return undefined;
  return { check: 'nested_format', name: format.name, offset: magicOffset(format.name, edges) };
}

function magicOffset(name: string, { head, tail, sizeBytes }: Edges): number {
  if (name === vdi.name) return 0x40;
  return name === vhd.name && !beginsWith(head, 'conectix') ? (sizeBytes ?? 0) - tail.length : 0;
}

/**
 * Refuses an image whose guest's disk is itself an image: a conversion would bring to light what nobody inspected
 * (CVE-2024-32498 and its kind). The guest's disk of a raw image and of a disc is the file itself, which `recognise` judged.
 */
export function checkNested(outer: DiskFormat, nested: NestedFormat | undefined): void {
  if (nested === undefined || outer === raw.format || outer === iso.format) return;
  const { check, name, offset } = nested;
  const seen = check === 'luks.encryption' ? 'is encrypted' : 'is a disk image itself';
  refuse(check, `The disk inside the image ${seen}: ${name}.`, { found: name, offset, value: name });
}
