import type { Task_State } from '../../gen/lehr/v1/task.ts';

type Paint = (text: string) => string;

/** Colours for a terminal, or none. */
export interface Style {
  readonly good: Paint;
  readonly bad: Paint;
  readonly busy: Paint;
  readonly faint: Paint;
}

const paint = (code: number): Paint => (text) => (text === '' ? '' : `\x1b[${code}m${text}\x1b[0m`);
const plain: Paint = (text) => text;

/** Text as it is. */
export const plainStyle: Style = { good: plain, bad: plain, busy: plain, faint: plain };

const colourStyle: Style = { good: paint(32), bad: paint(31), busy: paint(36), faint: paint(2) };

/** Colours where a terminal shows them and nobody asked for none (https://no-color.org: NO_COLOR is set and not empty). */
export function styleFor(isTerminal: boolean, env: NodeJS.ProcessEnv): Style {
  const noColor = env['NO_COLOR'] ?? '';
  return isTerminal && noColor === '' && env['TERM'] !== 'dumb' ? colourStyle : plainStyle;
}

/** Paints a text by the state of the task that it is about. */
export function paintState(style: Style, state: Task_State, text: string): string {
  switch (state) {
    case 'STATE_SUCCEEDED':
      return style.good(text);
    case 'STATE_FAILED':
      return style.bad(text);
    case 'STATE_RUNNING':
      return style.busy(text);
    case 'STATE_CANCELED':
    case 'STATE_EXPIRED':
      return style.faint(text);
    case 'STATE_PENDING':
    case 'STATE_UNSPECIFIED':
    case 'UNRECOGNIZED':
      return text;
    default:
      return state satisfies never;
  }
}
