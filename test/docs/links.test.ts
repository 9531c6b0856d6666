import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';

import { textOf } from './tables.ts';

const root = path.resolve(import.meta.dirname, '../..');
const pages = ['README.md', ...readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md')).map((name) => path.posix.join('docs', name))];

/** Headings as the anchors that GitHub makes of them. */
const anchorsOf = (page: string): readonly string[] => [...page.matchAll(/^#+ (.+)$/gm)]
  .map(([, heading = '']) => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'));

const proseOf = (page: string): string => page.replace(/^```[^]*?^```$/gm, '');

/** Where the links of a page lead to that do not leave the repository. */
const linksOf = (page: string): readonly string[] => [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  .filter((target) => !/^https?:/.test(target));

for (const name of pages) {
  const page = textOf(name);
  const links = linksOf(page);
  if (links.length === 0) continue;
  test(`every link in ${name} leads somewhere`, (t) => {
    for (const link of links) {
      const [file = '', anchor] = link.split('#');
      const target = path.posix.join(path.posix.dirname(name), file === '' ? path.posix.basename(name) : file);
      if (!existsSync(path.join(root, target))) {
        t.fail(`${link}: there is no ${target}`);
      } else if (anchor !== undefined) {
        t.true(anchorsOf(textOf(target)).includes(anchor), link);
      } else {
        t.true(target.endsWith('.md') || statSync(path.join(root, target)).isDirectory() || !target.startsWith('docs/'), link);
      }
    }
  });
}

test('every page can be reached from README.md', (t) => {
  const reached = new Set<string>();
  const visit = (name: string): void => {
    if (reached.has(name)) return;
    reached.add(name);
    for (const link of linksOf(textOf(name))) {
      const target = path.posix.join(path.posix.dirname(name), link.split('#')[0] ?? '');
      const found = pages.filter((page) => page === target || path.posix.dirname(page) === target.replace(/\/$/, ''));
      found.forEach(visit);
    }
  };
  visit('README.md');
  t.deepEqual(pages.filter((name) => !reached.has(name)), []);
});
