import type { Duration } from '../../gen/google/protobuf/duration.ts';

/** A time as RFC 3339 in UTC, without a fraction of zero, as protobuf's JSON mapping writes it. */
export function formatTime(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z');
}

const STEPS: readonly (readonly [seconds: number, unit: string])[] = [[31_536_000, 'y'], [86_400, 'd'], [3_600, 'h'], [60, 'm'], [1, 's']];

/** How long ago a time is, in its largest unit: `3m ago`, `in 2h`, `now`. */
export function formatAge(time: Date, now: Date): string {
  const seconds = Math.trunc((now.getTime() - time.getTime()) / 1_000);
  const step = STEPS.find(([size]) => Math.abs(seconds) >= size);
  if (step === undefined) return 'now';
  const amount = `${Math.trunc(Math.abs(seconds) / step[0])}${step[1]}`;
  return seconds > 0 ? `${amount} ago` : `in ${amount}`;
}

/** Both, for where there is room: `2026-01-02T03:04:05Z (3m ago)`. */
export function formatTimeFully(time: Date, now: Date): string {
  return `${formatTime(time)} (${formatAge(time, now)})`;
}

/** Seconds as a clock shows them: `0:08`, `12:34`, `1:02:03`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const parts = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

/** How long something took, as exactly as is of interest: `2ms`, `1.95s`, `1:02:03`. */
export function formatDuration({ seconds, nanos }: Duration): string {
  const durationMs = Math.round(Number(seconds) * 1_000 + nanos / 1e6);
  if (durationMs < 1_000) return `${durationMs}ms`;
  return durationMs < 60_000 ? `${Number((durationMs / 1_000).toFixed(2))}s` : formatClock(durationMs / 1_000);
}
