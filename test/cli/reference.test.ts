import { readFileSync } from 'node:fs';

import type { Command } from 'commander';
import test from 'ava';

import { exitCodeMeanings, exitCodes } from '../../src/cli/exit-codes.ts';
import { createProgram } from '../../src/cli/program.ts';

const page = readFileSync(new URL('../../docs/reference/cli.md', import.meta.url), 'utf8');
const program = createProgram('0.0.0', () => Promise.resolve(), () => undefined, () => undefined);

/** Commands that do something, with their arguments, as the page writes them. */
function linesOf(command: Command, names: readonly string[]): readonly string[] {
  if (command.commands.length > 0) return command.commands.flatMap((inner) => linesOf(inner, [...names, inner.name()]));
  const words = command.registeredArguments.map((argument) => (argument.required ? argument.name().toUpperCase() : `[${argument.name().toUpperCase()}]`));
  return [['lehr', ...names, ...(names[0] === 'serve' ? ['[settings]'] : words)].join(' ')];
}

test('the reference lists every command with its arguments', (t) => {
  const documented = [...page.matchAll(/^\| `(lehr [^`]*)` \|/gm)].map(([, line]) => line);
  t.deepEqual(documented, linesOf(program, []));
});

test('the reference lists every exit code with its meaning', (t) => {
  const documented = [...page.matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(([, code, meaning]) => [Number(code), meaning?.replace('\\|', '|')]);
  const names = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
  t.deepEqual(documented, names.map((name) => [exitCodes[name], exitCodeMeanings[name]]));
});
