import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** The text of a file, named relative to the root of the repository. */
export function textOf(name: string): string {
  return readFileSync(path.join(root, name), 'utf8');
}

/**
 * The cells of each row of the first table under a heading of a page, without the table's own heading. `\|` and `\<` are
 * read as `|` and `<`.
 */
export function tableUnder(page: string, heading: string): readonly (readonly string[])[] {
  const [, section] = page.split(new RegExp(`^#+ ${heading.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, 'm'));
  if (section === undefined) throw new Error(`there is no heading ${heading}`);
  const [text = ''] = section.split(/^#/m);
  const [, , ...rows] = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.map((row) => row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replace(/\\([|<])/g, '$1')));
}

/** A comment of a proto file, one line, without its slashes. */
export function commentText(comment: string): string {
  return comment.split('\n').map((line) => line.trim().replace(/^\/\/ ?/, '')).join(' ').trim();
}
