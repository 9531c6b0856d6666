import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** What a page of the documentation tells its reader to do, in order. */
export type Step =
  /** A block of commands in ```sh, and the output that stands in a ```text block right behind it. */
  | { readonly kind: 'run'; readonly line: number; readonly text: string; readonly output: string | undefined }
  /** A block in ```sh serve: a server that runs while the reader goes on in another terminal. */
  | { readonly kind: 'serve'; readonly line: number; readonly text: string }
  /** The block behind `<!-- run: save FILE -->`. */
  | { readonly kind: 'save'; readonly line: number; readonly text: string; readonly file: string }
  /** `<!-- run: stop -->`, where the page says to stop the server. */
  | { readonly kind: 'stop'; readonly line: number };

/** A page, with the programs beside Node and a shell that its commands need (`<!-- run: needs A B -->`). */
export interface Page {
  /** Relative to the root of the repository. */
  readonly name: string;
  readonly text: string;
  readonly needs: readonly string[];
  readonly steps: readonly Step[];
}

interface Block {
  readonly info: string;
  readonly text: string;
  readonly line: number;
  /** What stands between the block before it and this one. */
  readonly before: string;
}

/** Reads a page of the documentation, named relative to the root of the repository. */
export function readPage(name: string): Page {
  const text = readFileSync(path.join(root, name), 'utf8');
  const needs = [...text.matchAll(/^<!-- run: needs (.+) -->$/gm)].flatMap(([, words = '']) => words.split(' '));
  const blocks = blocksOf(text);
  const steps = blocks.flatMap((block, index) => stepsOf(block, blocks[index + 1]));
  return { name, text, needs, steps };
}

/** The fenced blocks of a page. */
function blocksOf(page: string): readonly Block[] {
  let end = 0;
  return [...page.matchAll(/^```([^\n]*)\n([^]*?)^```$/gm)].map((match) => {
    const [all, info = '', text = ''] = match;
    const before = page.slice(end, match.index);
    end = match.index + all.length;
    return { info, text, line: page.slice(0, match.index).split('\n').length, before };
  });
}

function stepsOf({ info, text, line, before }: Block, next: Block | undefined): readonly Step[] {
  const stop: readonly Step[] = before.includes('<!-- run: stop -->') ? [{ kind: 'stop', line }] : [];
  const [, file] = /<!-- run: save (\S+) -->\s*$/.exec(before) ?? [];
  if (file !== undefined) return [...stop, { kind: 'save', line, text, file }];
  if (info === 'sh serve') return [...stop, { kind: 'serve', line, text }];
  if (info !== 'sh') return stop;
  const output = next?.info === 'text' && next.before.trim() === '' ? next.text : undefined;
  return [...stop, { kind: 'run', line, text, output }];
}
