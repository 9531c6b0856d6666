import { createBarDisplay } from './bar-display.ts';
import { createLineDisplay } from './line-display.ts';
import type { Output, OutputStream } from './output.ts';
import type { ProgressView } from './progress-view.ts';
import { styleFor } from './style.ts';

/** Shows something that takes a while. */
export interface ProgressDisplay {
  /** What is to be seen from now on. */
  readonly show: (view: ProgressView) => void;
  /** Something worth a line of its own, such as a lost connection. */
  readonly note: (text: string) => void;
  /** Leaves the terminal as if nothing had been drawn; the result is printed after it. Harmless when repeated. */
  readonly end: () => void;
}

/**
 * A bar on a terminal, plain lines where the output is piped. With `--json` stdout is for JSON alone, so a bar goes to
 * stderr if that is a terminal, and nothing is shown otherwise. `toStderr` says that stdout is taken, as by a download.
 */
export function createProgressDisplay(output: Output, now: () => Date, toStderr = false): ProgressDisplay {
  const stream = output.isJson || toStderr ? output.stderr : output.stdout;
  if (isLive(stream, output.env)) return createBarDisplay(stream, styleFor(true, output.env), isUnicode(output.env));
  return output.isJson ? silent : createLineDisplay(stream, now);
}

const silent: ProgressDisplay = { show: () => undefined, note: () => undefined, end: () => undefined };

/** Whether lines can be redrawn. */
function isLive(stream: OutputStream, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** Whether the locale says that block characters can be shown. */
function isUnicode(env: NodeJS.ProcessEnv): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '');
  return /utf-?8/i.test(locale ?? '');
}
