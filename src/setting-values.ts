import { resolve } from 'node:path';

/** What is wrong with a value, for a person. */
export interface SettingProblem {
  readonly problem: string;
}

/** Turns the text of a setting into its value, or says what is wrong with it. */
export type Parse<Value> = (text: string) => Value | SettingProblem;

/** A whole number within bounds. */
export function parseInteger(lowest: number, highest: number): Parse<number> {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    return value >= lowest && value <= highest ? value : { problem: `must be a whole number from ${lowest} to ${highest}` };
  };
}

const durationUnitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `90s`, `15m`, `48h`, `2d`, in milliseconds. */
export function parseDurationMs(lowestMs: number, highestMs: number): Parse<number> {
  return (text) => {
    const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text);
    const valueMs = Number(match?.[1]) * (durationUnitsMs[match?.[2] ?? ''] ?? NaN);
    if (valueMs >= lowestMs && valueMs <= highestMs) return valueMs;
    return { problem: `must be a duration such as 90s, 15m, 48h or 2d, from ${lowestMs / 1_000}s to ${highestMs / 1_000}s` };
  };
}

const byteUnits: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** A number of bytes such as `1048576`, `500MiB`, `2TiB`. */
export function parseBytes(lowest: number, highest: number): Parse<number> {
  return (text) => {
    const match = /^(\d{1,16}) ?(KiB|MiB|GiB|TiB)?$/.exec(text);
    const value = Number(match?.[1]) * (byteUnits[match?.[2] ?? ''] ?? NaN);
    return value >= lowest && value <= highest ? value : { problem: `must be a number of bytes such as 500MiB or 2TiB, from ${lowest} to ${highest}` };
  };
}

/** One of a few words. */
export function parseChoice<const Word extends string>(words: readonly Word[]): Parse<Word> {
  return (text) => words.find((word) => word === text) ?? { problem: `must be ${words.join(' or ')}` };
}

/** A path or an address: any text. */
export function parsePath(text: string): string {
  return text;
}

/** Folders with commas between, made absolute. */
export function parseFolders(text: string): readonly string[] {
  return text.split(',').map((folder) => folder.trim()).filter((folder) => folder !== '').map((folder) => resolve(folder));
}
