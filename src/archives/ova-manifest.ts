import { createHash } from 'node:crypto';
import type { ByteReader } from '../formats/reading/byte-reader.ts';
import { printable } from '../formats/reading/printable.ts';
import { refuse } from '../formats/refuse.ts';
import type { TarMember } from './tar-members.ts';

/** Larger ones are no manifests: a line for each of some members. */
export const manifestLimitBytes = 64 * 1024;
const pieceBytes = 256 * 1024;
const line = /^(SHA1|SHA256|SHA384|SHA512) ?\((.+)\) ?= ?([0-9a-f]+)$/i;

/**
 * Compares every digest of a manifest (DSP0243 2.1, 6.4) with the member that it names; yields how many bytes were hashed.
 * `required`: members that must be in it. Refuses by `ova.manifest`.
 */
export function* checkManifest(
  file: ByteReader,
  manifest: TarMember,
  members: readonly TarMember[],
  required: readonly TarMember[],
): Generator<number, void, undefined> {
  const { offset } = manifest;
  const lines = Buffer.from(file.read(offset, manifest.sizeBytes)).toString('utf8').split(/\r?\n/).map((text) => text.trim()).filter((text) => text !== '');
  const named = new Set<TarMember>();
  let hashedBytes = 0;
  for (const text of lines) {
    const [, algorithm = '', name = '', stated = ''] = line.exec(text) ?? [];
    const member = members.find((candidate) => candidate.name === name.replace(/^\.\//, ''));
    const value = printable(text);
    if (member === undefined) return refuse('ova.manifest', `The manifest's line "${value}" names no member of the archive.`, { offset, value });
    if (named.has(member)) refuse('ova.manifest', `The manifest names "${printable(name)}" twice.`, { offset, value });
    named.add(member);
    const hash = createHash(algorithm.toLowerCase());
    for (let at = 0; at < member.sizeBytes; at += pieceBytes) {
      hash.update(file.read(member.offset + at, Math.min(pieceBytes, member.sizeBytes - at)));
      hashedBytes += pieceBytes;
      yield hashedBytes;
    }
    const actual = hash.digest('hex');
    if (actual !== stated.toLowerCase()) {
      const message = `The manifest gives "${printable(name)}" another ${algorithm.toUpperCase()} digest than its content has.`;
      refuse('ova.manifest', message, { offset: member.offset, value: actual, expected: printable(stated.toLowerCase()) });
    }
  }
  const missing = required.find((member) => !named.has(member));
  if (missing !== undefined) refuse('ova.manifest', `The manifest does not name "${printable(missing.name)}".`, { offset, value: printable(missing.name) });
}
