import { displayWidth, truncateText } from './display-width.ts';
import { escapeText } from './escape-text.ts';
import type { OutputStream } from './output.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { describeProgress, percentOf } from './progress-view.ts';
import type { ProgressView } from './progress-view.ts';
import type { Style } from './style.ts';

/** A bar wider than this says no more. */
const widestBar = 40;

/** A bar narrower than this says nothing; it is left out where there is no room. */
const narrowestBar = 8;

/** The width where the terminal does not tell its own. */
const defaultColumns = 80;

/**
 * One line of a terminal, redrawn in place: activity, bar, percentage, bytes, rate, time left. It never takes the last
 * column, where some terminals wrap; what does not fit is left out from the right.
 */
export function createBarDisplay(stream: OutputStream, style: Style, isUnicode: boolean): ProgressDisplay {
  let drawn = '';
  let view: ProgressView | undefined;
  const draw = (): void => {
    if (view === undefined) return;
    const line = formatBar(view, (stream.columns ?? defaultColumns) - 1, style, isUnicode);
    if (line === drawn) return;
    drawn = line;
    stream.write(`\r${line}\x1b[K`);
  };
  const clear = (): void => {
    if (drawn !== '') stream.write('\r\x1b[K');
    drawn = '';
  };
  stream.on('resize', draw);
  return {
    show: (next) => {
      view = next;
      draw();
    },
    note: (text) => {
      clear();
      stream.write(`${escapeText(text)}\n`);
      draw();
    },
    end: () => {
      view = undefined;
      stream.off('resize', draw);
      clear();
    },
  };
}

/** The line for a view, at most `width` cells wide (not counting colours). */
export function formatBar(view: ProgressView, width: number, style: Style, isUnicode: boolean): string {
  const activity = truncateText(escapeText(view.activity), width);
  if (view.progress === undefined) return style.busy(activity);
  const percent = percentOf(view.progress);
  const parts = [...(percent === undefined ? [] : [`${String(percent).padStart(3)}%`]), ...describeProgress(view.progress)];
  while (parts.length > 0 && widthOf([activity, ...parts]) > width) parts.pop();
  const room = Math.min(widestBar, width - widthOf([activity, ...parts]) - 2);
  const bar = percent === undefined || room < narrowestBar ? [] : [style.busy(drawBar(percent, room, isUnicode))];
  return [style.busy(activity), ...bar, ...parts].join('  ');
}

function widthOf(parts: readonly string[]): number {
  return parts.reduce((sum, part) => sum + displayWidth(part), 2 * (parts.length - 1));
}

function drawBar(percent: number, width: number, isUnicode: boolean): string {
  const [full, empty, left, right] = isUnicode ? ['█', '░', '', ''] : ['#', '-', '[', ']'];
  const inside = width - left.length - right.length;
  const done = Math.floor((percent * inside) / 100);
  return left + full.repeat(done) + empty.repeat(inside - done) + right;
}
