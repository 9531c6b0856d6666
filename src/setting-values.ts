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

/** At most so many values are taken from a list. */
const listLimit = 100;

function parseList(text: string, isValid: (part: string) => boolean, problem: string): readonly string[] | SettingProblem {
  const parts = text.split(',').map((part) => part.trim()).filter((part) => part !== '');
  return parts.length <= listLimit && parts.every(isValid) ? [...new Set(parts)] : { problem };
}

/** Addresses `host:port` with commas between; IPv6 addresses in brackets. */
export function parseAddresses(text: string): readonly string[] | SettingProblem {
  const isAddress = (part: string): boolean => {
    const port = /^(?:[a-z0-9](?:[a-z0-9._-]{0,252})|\[[0-9a-f:.]{2,45}\]):(\d{1,5})$/i.exec(part)?.[1];
    return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
  };
  return parseList(text, isAddress, 'must be addresses such as kafka-1:9092,kafka-2:9092');
}

/** Some of a few words, with commas between, at least one. */
export function parseWords<const Word extends string>(words: readonly Word[]): Parse<readonly Word[]> {
  return (text) => {
    const parts = text.split(',').map((part) => part.trim());
    const known = words.filter((word) => parts.includes(word));
    return known.length > 0 && parts.every((part) => (words as readonly string[]).includes(part)) ? known : { problem: `must be one or more of ${words.join(', ')}` };
  };
}

/**
 * A name of a topic that NATS can name subjects after: words of letters, digits, `_` and `-` with dots between. At most 200
 * characters (Kafka allows 249).
 */
export function parseTopic(text: string): string | SettingProblem {
  return text.length <= 200 && /^[\w-]+(?:\.[\w-]+)*$/.test(text) ? text : { problem: 'must be words of letters, digits, _ and - with dots between, such as lehr.events' };
}

/** Places in the log, `partition-offset`, with commas between. */
export function parsePositions(text: string): readonly string[] | SettingProblem {
  return parseList(text, (part) => /^\d{1,4}-\d{1,18}$/.test(part), 'must be positions such as 3-1042');
}
