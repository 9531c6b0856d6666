const isColourful = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';

const bold = (text: string): string => (isColourful ? `\x1b[1m${text}\x1b[0m` : text);
const faint = (text: string): string => (isColourful ? `\x1b[2m${text}\x1b[0m` : text);

/** Begins a part of the story; bold on a terminal, plain where the output is piped. */
export function heading(text: string): void {
  process.stdout.write(`\n${bold(text)}\n`);
}

/** Tells something. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Shows a command that is about to run, as one would type it. */
export function showCommand(words: readonly string[]): void {
  process.stdout.write(`${faint('$')} ${words.join(' ')}\n`);
}
