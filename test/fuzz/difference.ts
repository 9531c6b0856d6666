import type { Verdict } from '../../src/formats/verdict.ts';
import { outcomeOf } from './round.ts';

/** What qemu-img said of an image: which command failed and how, or what it read. No digest: the disk was too large to be compared. */
export type QemuAnswer =
  | { readonly failed: 'info' | 'check' | 'convert'; readonly message: string }
  | { readonly failed?: undefined; readonly virtualSizeBytes: bigint; readonly guestDigest?: string };

/**
 * A difference between the judgements. `other disk`: both accept, and read another disk, which must not be. `crashed`: qemu-img
 * died or did not end. `stricter`: it refuses what is accepted here. `laxer`: it is content with what is refused here.
 */
export interface Difference {
  readonly seed: number;
  readonly kind: 'other disk' | 'crashed' | 'stricter' | 'laxer';
  readonly driver: string;
  /** The check that refused, or `accepted`. */
  readonly outcome: string;
  /** What qemu-img said, without numbers and names. */
  readonly message: string;
}

/** Holds a verdict against what qemu-img says; undefined where the two agree. */
export function difference(seed: number, driver: string, verdict: Verdict, answer: QemuAnswer): Difference | undefined {
  const outcome = outcomeOf(verdict);
  const told = (kind: Difference['kind'], message: string): Difference => ({ seed, driver, outcome, kind, message });
  if (answer.failed !== undefined) {
    const message = `${answer.failed}: ${messageClass(answer.message)}`;
    // A check that finds very much prints very much, and is stopped for it: no crash.
    const isFlood = answer.failed === 'check' && answer.message === 'flooded';
    if (!isFlood && /^(?:died of|was stopped|flooded|broken)/.test(answer.message)) return told('crashed', message);
    return verdict.kind === 'accepted' ? told('stricter', message) : undefined;
  }
  if (verdict.kind === 'refused') return told('laxer', 'content');
  const { virtualSizeBytes, guestDigest } = answer;
  if (virtualSizeBytes !== verdict.virtualSizeBytes) return told('other disk', 'another size');
  return guestDigest === undefined || guestDigest === verdict.guestDigest ? undefined : told('other disk', 'other bytes');
}

/** The last line of a message, with a sign in place of whatever differs from image to image. */
function messageClass(message: string): string {
  const line = message.split('\n').map((text) => text.trim()).filter((text) => text !== '').at(-1) ?? 'said nothing';
  const plain = line.replace(/^qemu-img: /, '').replaceAll(/'[^']*'/g, `'..'`).replaceAll(/0x[0-9a-f]+/gi, 'N').replaceAll(/\d+/g, 'N');
  return plain.replaceAll(/[^ -~]/g, '?').slice(0, 120);
}
