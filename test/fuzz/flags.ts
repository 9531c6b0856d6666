import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

import { formatNames } from './corpus.ts';
import type { FormatName } from './corpus.ts';

/** What `--help` prints. */
export const help = `Alters sound images of every format and holds the inspectors to what they promise: a verdict whatever the bytes, within
bounds of reads and memory, the same at every depth, with a check, a place and a value in each refusal.

  npm run fuzz                              one minute of fresh seeds
  npm run fuzz -- --minutes 30              half an hour of them
  npm run fuzz -- --from 1 --rounds 5000    these seeds
  npm run fuzz -- --qemu --format vmdk      what is accepted is opened by qemu-img too, and the two are compared
  npm run fuzz -- --seed 4711               one seed again

  --seed N      runs one seed and prints what it did
  --from N      the first seed (a random one)
  --rounds N    how many seeds (no limit)
  --minutes N   stops after so long (1, or no limit with --rounds)
  --format F    alters only images of this format: ${Object.keys(formatNames).join(', ')}
  --qemu        compares with qemu-img, in the sandbox of the service
  --built       leaves out the images that qemu-img makes; the same seed does other things then
  --keep DIR    saves the image of each round that is told
  --json        prints the result as JSON
  --help        prints this

Exit code 0: everything held. 1: something did not, or qemu-img read another disk than was inspected, or crashed over it, or judged otherwise than
docs/reference/checks.md explains. 2: the flags make no sense.
130: interrupted; what was found until then is printed.
`;

/** Seeds that are drawn at random lie below this. */
const seedLimit = 2 ** 30;

const flags = {
  seed: { type: 'string' }, from: { type: 'string' }, rounds: { type: 'string' }, minutes: { type: 'string' }, format: { type: 'string' },
  qemu: { type: 'boolean' }, built: { type: 'boolean' }, keep: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' },
} as const;

/** The flags of the command, and what they mean together. */
export interface FuzzFlags {
  readonly values: ReturnType<typeof parse>['values'];
  readonly format: FormatName | undefined;
  /** The one seed to run again. */
  readonly seed: number | undefined;
  readonly from: number;
  readonly rounds: number;
  readonly minutes: number;
}

/** Reads the flags of the process; throws a TypeError, with a sentence for its user, where they make no sense. */
export function readFlags(): FuzzFlags {
  const { values } = parse();
  const seed = numberOf('seed', values.seed);
  const rounds = seed === undefined ? numberOf('rounds', values.rounds) ?? Infinity : 1;
  const minutes = numberOf('minutes', values.minutes) ?? (rounds === Infinity ? 1 : Infinity);
  const from = seed ?? numberOf('from', values.from) ?? randomInt(seedLimit);
  return { values, format: formatOf(values.format), seed, from, rounds, minutes };
}

function parse() {
  return parseArgs({ options: flags, strict: true });
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new TypeError(`--${name} ${text} is no number from 0 on`);
  return value;
}

function formatOf(text: string | undefined): FormatName | undefined {
  if (text === undefined || text in formatNames) return text as FormatName | undefined;
  throw new TypeError(`--format ${text} is none of ${Object.keys(formatNames).join(', ')}`);
}
