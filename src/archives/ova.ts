import type { ByteReader } from '../formats/reading/byte-reader.ts';
import { printable } from '../formats/reading/printable.ts';
import { refuse } from '../formats/refuse.ts';
import { checkManifest, manifestLimitBytes } from './ova-manifest.ts';
import { descriptorLimitBytes, findOvfDisk } from './ovf-disk.ts';
import { readTarMembers } from './tar-members.ts';
import type { TarMember } from './tar-members.ts';

/** The disk of an OVA. */
export interface OvaDisk {
  /** Where in the archive it lies. */
  readonly offset: number;
  readonly sizeBytes: number;
  readonly isGzip: boolean;
  /** `members`, `ova_disk` and, where there are such members, `ova_manifest` and `ova_certificate`; printable ASCII. */
  readonly facts: Readonly<Record<string, string>>;
}

/**
 * Judges an OVA (DSP0243 2.1, 5.2): a tar whose first member is the OVF descriptor. Every member is judged, the manifest is
 * verified, and the descriptor names exactly one disk, which is a member. A certificate is recorded and not verified: whom to
 * trust is not said anywhere. Yields now and then, so that whoever drives it can pause. Refuses by the checks `ova.…`.
 */
export function* readOva(file: ByteReader): Generator<number, OvaDisk, undefined> {
  const { disk, manifest, members, covered } = yield* findOvaDisk(file);
  if (manifest !== undefined) yield* checkManifest(file, manifest, members, covered);
  return disk;
}

/** An OVA whose manifest is still to be verified; it must name the members that are `covered`. */
export interface FoundOvaDisk {
  readonly disk: OvaDisk;
  readonly manifest: TarMember | undefined;
  readonly members: readonly TarMember[];
  readonly covered: readonly TarMember[];
}

/** As `readOva`, but without the manifest, for which every byte of the archive would be read. */
export function* findOvaDisk(file: ByteReader): Generator<number, FoundOvaDisk, undefined> {
  const members = yield* readTarMembers(file);
  const [descriptor] = members;
  if (descriptor?.name.toLowerCase().endsWith('.ovf') !== true) {
    return refuse('ova.archive', 'The first member is no OVF descriptor.', { offset: 0, value: printable(descriptor?.name ?? '') });
  }
  const { member, isGzip } = findOvfDisk(readDescriptor(file, descriptor), descriptor, members);
  const manifest = only(members, '.mf');
  const certificate = only(members, '.cert');
  if (manifest !== undefined) checkSize(manifest, manifestLimitBytes);
  const disk = {
    offset: member.offset,
    sizeBytes: member.sizeBytes,
    isGzip,
    facts: {
      members: String(members.length),
      ova_disk: printable(member.name),
      ...(manifest === undefined ? {} : { ova_manifest: printable(manifest.name) }),
      ...(certificate === undefined ? {} : { ova_certificate: printable(certificate.name) }),
    },
  };
  return { disk, manifest, members, covered: [descriptor, member] };
}

function readDescriptor(file: ByteReader, descriptor: TarMember): string {
  checkSize(descriptor, descriptorLimitBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file.read(descriptor.offset, descriptor.sizeBytes));
  } catch {
    return refuse('ova.descriptor', 'The descriptor is no UTF-8 text.', { offset: descriptor.offset, value: 'not UTF-8' });
  }
}

function checkSize({ name, offset, sizeBytes }: TarMember, limit: number): void {
  if (sizeBytes <= limit) return;
  refuse('ova.limits', `The member "${printable(name)}" has ${sizeBytes} bytes, more than the ${limit} allowed.`, { offset, value: sizeBytes, limit });
}

function only(members: readonly TarMember[], ending: string): TarMember | undefined {
  const found = members.filter(({ name }) => name.toLowerCase().endsWith(ending));
  const [, second] = found;
  if (second === undefined) return found[0];
  return refuse('ova.archive', `The archive has ${found.length} members that end in ${ending}.`, { offset: second.offset, value: found.length });
}
