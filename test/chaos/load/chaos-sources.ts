import type { Random } from '../../simulation/random.ts';
import { qcow2Disk, rawDisk } from '../../acceptance/harness/disk-images.ts';
import type { DiskImage } from '../../acceptance/harness/disk-images.ts';
import { announces, answers, gives, inTurn, startSource, trickles } from '../../acceptance/harness/source-server.ts';
import type { Behaviour, SourceServer } from '../../acceptance/harness/source-server.ts';
import { foreignSamples } from '../../formats/build/foreign-samples.ts';

/** How a source treats whoever reads it. Only the first four ever give a whole image. */
export type SourceFate = 'good' | 'slow' | 'busy at first' | 'drops at first' | 'missing' | 'truncated' | 'silent' | 'no image';

/** Different images that are imported again and again. */
const imageCount = 24;

/** Sizes lie between these, small ones as often as large ones, in whole sectors. A qcow2 has at least 256 KiB. */
const sectorBytes = 512;
const smallestBytes = 4 * 1024;
const largestBytes = 3 * 1024 * 1024;
const smallestQcow2Bytes = 256 * 1024;

/** A slow source takes so long for an image. */
const slowestSeconds = 6;

/** Sources on loopback for a whole run. */
export class ChaosSources {
  readonly #server: SourceServer;
  readonly #images: readonly DiskImage[];
  readonly #digests = new Map<string, string>();

  private constructor(server: SourceServer, images: readonly DiskImage[]) {
    this.#server = server;
    this.#images = images;
  }

  static async start(t: { readonly teardown: (work: () => unknown) => void }, random: Random): Promise<ChaosSources> {
    return new ChaosSources(await startSource(t), Array.from({ length: imageCount }, (_, index) => drawImage(random, index)));
  }

  /** A source for one task, and the digest of what it would give. */
  open(name: string, fate: SourceFate, random: Random): string {
    const image = random.pick(this.#images);
    const url = this.#server.serve(`/${name}/${fate.replaceAll(' ', '-')}`, behaviourOf(fate, image, random));
    if (fate === 'good' || fate === 'slow' || fate === 'busy at first' || fate === 'drops at first') this.#digests.set(url, image.digest);
    return url;
  }

  /** "sha256:<hex>" of the image behind a URL; undefined where there is none to be had. */
  digestOf(url: string): string | undefined {
    return this.#digests.get(url);
  }
}

function drawImage(random: Random, seed: number): DiskImage {
  const sectors = Math.round(smallestBytes * (largestBytes / smallestBytes) ** (random.between(0, 1_000) / 1_000) / sectorBytes);
  const sizeBytes = sectors * sectorBytes;
  return sizeBytes >= smallestQcow2Bytes && random.chance(0.5) ? qcow2Disk(sizeBytes, seed) : rawDisk(sizeBytes, seed);
}

function behaviourOf(fate: SourceFate, { bytes }: DiskImage, random: Random): Behaviour {
  const half = bytes.subarray(0, bytes.length >> 1);
  switch (fate) {
    case 'good':
      return gives(bytes);
    case 'slow':
      return trickles(bytes, Math.ceil(bytes.length / random.between(1, slowestSeconds)));
    case 'busy at first':
      return inTurn(answers(503), gives(bytes));
    case 'drops at first':
      return inTurn(announces(bytes.length, half, 'drop'), gives(bytes));
    case 'missing':
      return answers(404);
    case 'truncated':
      return announces(bytes.length, half, 'end');
    case 'silent':
      return announces(bytes.length, half, 'silence');
    case 'no image':
      return gives(random.pick(foreignSamples).build());
    default:
      return fate satisfies never;
  }
}
