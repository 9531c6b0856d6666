import type { Progress } from '../../gen/lehr/v1/task.ts';

/** The rate is that of about so long. */
const windowMs = 3_000;

/** Views further apart than this are enough for an eye. */
const viewEveryMs = 200;

/** Counts bytes and says now and then how far a transfer is. */
export interface TransferMeter {
  /** Adds bytes; answers with what to show, not more often than five times a second. */
  readonly add: (bytes: number) => Progress | undefined;
}

/** A meter for `bytesTotal` bytes in all. */
export function createTransferMeter(bytesTotal: bigint, nowMs: () => number): TransferMeter {
  const marks: { readonly atMs: number; readonly bytes: bigint }[] = [{ atMs: nowMs(), bytes: 0n }];
  let bytesDone = 0n;
  return {
    add: (bytes) => {
      bytesDone += BigInt(bytes);
      const atMs = nowMs();
      if (atMs - (marks.at(-1)?.atMs ?? 0) < viewEveryMs) return undefined;
      marks.push({ atMs, bytes: bytesDone });
      while (marks.length > 2 && atMs - (marks[0]?.atMs ?? 0) > windowMs) marks.shift();
      const first = marks[0] ?? { atMs, bytes: bytesDone };
      const seconds = (atMs - first.atMs) / 1_000;
      const bytesPerSecond = seconds > 0 ? BigInt(Math.round(Number(bytesDone - first.bytes) / seconds)) : 0n;
      return { stage: 'download', bytesDone, bytesTotal, bytesPerSecond };
    },
  };
}
