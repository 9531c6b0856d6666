import type { Clock } from '../domain/clock.ts';
import type { Signals } from '../jobs/signals.ts';

/** Progress of one task is told at most 4 times a second. */
export const progressIntervalMs = 250;

/** The rate is that of about the last so many milliseconds. */
const rateWindowMs = 5_000;

interface Sample {
  readonly atMs: number;
  readonly bytesDone: number;
}

/** Turns the many progress calls of one stage into few signals with a rate. The first comes after `progressIntervalMs`. */
export function progressReporter(
  taskId: string, stage: string, signals: Signals, clock: Clock,
): (bytesDone: number, bytesTotal: number) => void {
  let toldMs = clock.monotonicMs();
  const samples: Sample[] = [{ atMs: toldMs, bytesDone: 0 }];
  return (bytesDone, bytesTotal) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - toldMs < progressIntervalMs) return;
    toldMs = nowMs;
    while (samples.length > 1 && nowMs - (samples[0]?.atMs ?? nowMs) > rateWindowMs) samples.shift();
    const first = samples[0] ?? { atMs: nowMs, bytesDone };
    samples.push({ atMs: nowMs, bytesDone });
    const bytesPerSecond = Math.round(((bytesDone - first.bytesDone) * 1_000) / Math.max(nowMs - first.atMs, 1));
    const numbers = { bytesDone: BigInt(bytesDone), bytesTotal: BigInt(bytesTotal), bytesPerSecond: BigInt(Math.max(bytesPerSecond, 0)) };
    signals.publish({ taskId, progress: { stage, ...numbers } });
  };
}
