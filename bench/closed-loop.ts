import { percentile } from './report.ts';

/** What a load of calls came to. */
export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** `callers` callers, each of which calls again as soon as it was answered, for `seconds` after a warm-up. */
export async function closedLoop(callers: number, seconds: number, call: () => Promise<unknown>, warmUpSeconds = 4): Promise<Load> {
  await run(callers, warmUpSeconds, call);
  const { latencies, elapsedSeconds } = await run(callers, seconds, call);
  return { perSecond: latencies.length / elapsedSeconds, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}

async function run(
  callers: number, seconds: number, call: () => Promise<unknown>,
): Promise<{ latencies: number[]; elapsedSeconds: number }> {
  const latencies: number[] = [];
  const started = performance.now();
  const until = started + seconds * 1_000;
  const caller = async (): Promise<void> => {
    for (let before = performance.now(); before < until;) {
      await call();
      const now = performance.now();
      latencies.push(now - before);
      before = now;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { latencies, elapsedSeconds: (performance.now() - started) / 1_000 };
}
