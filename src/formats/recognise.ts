import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Edges } from './reading/edges.ts';
import { headBytes } from './reading/edges.ts';
import { foreignContents } from './content/foreign-content.ts';
import type { FormatInspector } from './format-inspector.ts';
import { iso } from './iso/iso.ts';
import { qcow2 } from './qcow2/qcow2.ts';
import { rawContentOf } from './content/raw-content.ts';
import { raw } from './raw.ts';
import { refuse } from './refuse.ts';
import { sizeText } from './content/size-text.ts';
import { textKind } from './content/text-content.ts';
import { unsupportedFormats } from './unsupported-formats.ts';
import { vdi } from './vdi/vdi.ts';
import { vhd } from './vhd/vhd.ts';
import { vhdx } from './vhdx/vhdx.ts';
import { vmdk } from './vmdk/vmdk.ts';
import type { Wrapper } from './wrapper.ts';

/** The formats that are told by a magic; raw is what remains. */
export const magicFormats: readonly FormatInspector[] = [qcow2, vmdk, vhd, vhdx, vdi, iso];

/**
 * The one format that the content is of, or a refusal thrown: two formats in one file, a format that is not accepted,
 * no disk image at all, or another format than `declared`. Where the end of the content is not known yet, `vhd` is
 * answered for anything declared so, since a fixed one shows itself by its end only.
 */
export function recognise(edges: Edges, declared: DiskFormat): FormatInspector {
  if (edges.sizeBytes === 0) refuse('raw.empty', 'The content is empty: 0 bytes.', { size_bytes: 0, offset: 0, value: 0 });
  const found = magicFormats.filter((format) => format.recognise(edges));
  const unsupported = unsupportedFormats.filter((format) => format.matches(edges));
  const foreign = foreignContents.find((content) => content.matches(edges.head));
  const names = [...found, ...unsupported, ...(found.length > 0 && foreign ? [foreign] : [])].map(({ name }) => name);
  if (names.length > 1) {
    refuse('polyglot', `The file is of two formats at once: ${names.join(' and ')}.`, {
      found: names.join(', '),
      offset: 0,
      value: names.join(', '),
    });
  }
  const [refused] = unsupported;
  if (refused) refuse(refused.check, `The content is of a format that is not accepted: ${refused.name}.`, {
      found: refused.name,
      offset: refused.offset(edges),
      value: refused.name,
    });
  const [format] = found;
  if (format) return agreed(format, declared, edges);
  if (foreign?.isCompressed) refuseContent('content.compressed', foreign.name, edges);
  const kind = foreign?.name ?? textKind(edges.head);
  if (kind !== undefined) refuseContent('content.not_a_disk', kind, edges);
  if (declared === vhd.format && edges.sizeBytes === undefined) return vhd;
  return agreed(raw, declared, edges);
}

/** What the content is to be taken out of first; undefined for anything that is a disk image too, which is a polyglot. */
export function wrapperOf(edges: Edges): Wrapper | undefined {
  const isDisk = magicFormats.some((format) => format.recognise(edges)) || unsupportedFormats.some((format) => format.matches(edges));
  if (isDisk) return undefined;
  return foreignContents.find((content) => content.matches(edges.head))?.wrapper;
}

/** Holds the format that was found against the declared one. */
function agreed(found: FormatInspector, declared: DiskFormat, { head }: Edges): FormatInspector {
  if (declared === found.format || declared === 'DISK_FORMAT_UNSPECIFIED' || declared === 'UNRECOGNIZED') return found;
  // A disc and a raw disk are read alike, byte for byte, and an isohybrid is meant to be used as either.
  if (declared === raw.format && found === iso) return raw;
  const content = found === raw ? rawContentOf(head).join(', ') || 'nothing that is known here' : '';
  const name = [raw, ...magicFormats].find(({ format }) => format === declared)?.name ?? declared;
  return refuse('format.mismatch', `The image was declared as ${name}, but its content is ${found.name}${content && ` (${content})`}.`, {
    declared: name,
    found: found.name,
    offset: 0,
    value: found.name,
  });
}

function refuseContent(check: 'content.not_a_disk' | 'content.compressed', name: string, { sizeBytes }: Edges): never {
  const size = sizeBytes === undefined ? `more than ${sizeText(headBytes)}` : sizeText(sizeBytes);
  return refuse(check, `The content is no disk image: ${name}, ${size}.`, {
    found: name,
    offset: 0,
    ...(sizeBytes === undefined ? {} : { size_bytes: sizeBytes }),
    value: name,
  });
}
