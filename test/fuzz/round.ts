import type { InspectionLimits } from '../../src/formats/inspect.ts';
import type { Verdict } from '../../src/formats/verdict.ts';
import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import { Random } from '../simulation/random.ts';
import type { CorpusImage } from './corpus.ts';
import { judge } from './judge.ts';
import type { Judgement } from './judge.ts';
import { LiveMemory } from './live-memory.ts';
import { mutate } from './mutate.ts';
import { placesOf } from './places.ts';
import type { Places } from './places.ts';

/** Where the images come from and what is asked of them. */
export interface RoundSettings {
  readonly corpus: readonly CorpusImage[];
  /** Only images of this format are changed; of any, where absent. Parts of others may be put into them. */
  readonly format?: DiskFormat;
  readonly limits: InspectionLimits;
}

/** One round: an image was changed and judged. */
export interface Round extends Judgement {
  readonly seed: number;
  readonly image: string;
  readonly format: DiskFormat;
  readonly declared: DiskFormat;
  readonly steps: readonly string[];
  readonly bytes: Buffer;
}

/** In so many rounds once memory is measured, which takes as long as all the rest. */
const roundsPerMeasurement = 32;

/** Makes rounds of seeds: the same round for the same seed, corpus and format. */
export class Rounds {
  readonly #settings: RoundSettings;
  readonly #choices: readonly CorpusImage[];
  readonly #places = new Map<CorpusImage, readonly Places[]>();
  readonly #memory = new LiveMemory();

  constructor(settings: RoundSettings) {
    this.#settings = settings;
    this.#choices = settings.corpus.filter(({ format }) => settings.format === undefined || format === settings.format);
  }

  run(seed: number): Round {
    const random = new Random(seed);
    const { corpus, limits } = this.#settings;
    const image = this.#pickImage(random);
    const other = random.chance(0.5) ? random.pick(this.#choices.filter(({ format }) => format === image.format)) : random.pick(corpus);
    const { bytes, steps } = mutate({ image, places: this.#placesOf(image), other }, random);
    const declared = random.chance(0.7) ? 'DISK_FORMAT_UNSPECIFIED' : random.chance(0.8) ? image.format : other.format;
    const judgement = judge(bytes, declared, limits, seed % roundsPerMeasurement === 0 ? this.#memory : undefined);
    return { seed, image: image.name, format: image.format, declared, steps, bytes, ...judgement };
  }

  /** Every format is as likely as another, however many images of it there are. */
  #pickImage(random: Random): CorpusImage {
    const format = random.pick([...new Set(this.#choices.map((image) => image.format))]);
    return random.pick(this.#choices.filter((image) => image.format === format));
  }

  #placesOf(image: CorpusImage): readonly Places[] {
    const known = this.#places.get(image) ?? placesOf(image);
    this.#places.set(image, known);
    return known;
  }
}

/** The check that refused, or `accepted`. */
export function outcomeOf(verdict: Verdict | undefined): string {
  if (verdict === undefined) return 'no verdict';
  return verdict.kind === 'accepted' ? 'accepted' : (verdict.failure.metadata['check'] ?? '');
}
