import { escapeText } from './escape-text.ts';
import type { OutputStream } from './output.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { describeProgress, percentOf } from './progress-view.ts';
import type { ProgressView } from './progress-view.ts';

/** Between two lines about the same activity at least so much passes; a new activity is told at once. */
const quietMs = 5_000;

/** Plain lines for logs and pipes: `fetch: 45%, 540.2 MiB of 1.2 GiB, 85.1 MiB/s, 0:08 left`. */
export function createLineDisplay(stream: OutputStream, now: () => Date): ProgressDisplay {
  let activity: string | undefined;
  let lastMs = 0;
  return {
    show: (view) => {
      const nowMs = now().getTime();
      if (view.activity === activity && nowMs - lastMs < quietMs) return;
      if (view.activity === activity && view.progress === undefined) return;
      activity = view.activity;
      lastMs = nowMs;
      stream.write(`${formatLine(view)}\n`);
    },
    note: (text) => {
      stream.write(`${escapeText(text)}\n`);
    },
    end: () => undefined,
  };
}

function formatLine({ activity, progress }: ProgressView): string {
  if (progress === undefined || (progress.bytesDone === 0n && progress.bytesTotal === 0n)) return escapeText(activity);
  const percent = percentOf(progress);
  return `${escapeText(activity)}: ${[...(percent === undefined ? [] : [`${percent}%`]), ...describeProgress(progress)].join(', ')}`;
}
