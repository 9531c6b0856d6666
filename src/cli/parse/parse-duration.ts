import { InvalidArgumentError } from 'commander';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Longer durations than this are taken for a slip: 10 years, the longest `ttl` that a server accepts. */
const longestMs = 3_650 * 86_400_000;

/** Reads a duration such as `30s`, `48h` or `1h30m` (ms, s, m, h, d) as milliseconds. Throws where it is none, zero or beyond 10 years. */
export function parseDurationMs(text: string): number {
  const wellFormed = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text);
  const parts = wellFormed ? [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)] : [];
  const durationMs = Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ''] ?? Number.NaN), 0));
  if (!(durationMs > 0 && durationMs <= longestMs)) {
    throw new InvalidArgumentError('Write a number and a unit (ms, s, m, h, d), such as 30s, 48h or 1h30m; at most 3650d.');
  }
  return durationMs;
}
