import { readFile } from 'node:fs/promises';

import test from 'ava';

import { parseImageFilter } from '../../../src/api/lists/list-images.ts';
import { parseTaskFilter } from '../../../src/api/lists/list-tasks.ts';

const page = await readFile(new URL('../../../docs/reference/filters.md', import.meta.url), 'utf8');

/** The lines of all fenced blocks of one kind. */
const examples = (kind: string): readonly string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n([^]*?)^\`\`\`$`, 'gm'))].flatMap(([, block = '']) => block.trimEnd().split('\n'));

const parsers = { tasks: parseTaskFilter, images: parseImageFilter } as const;

for (const [kind, parse] of Object.entries(parsers)) {
  test(`the reference has examples of ${kind}, good and bad`, (t) => {
    t.true(examples(kind).length >= 6);
    t.true(examples(`${kind}-refused`).length >= 6);
  });

  for (const filter of examples(kind)) {
    test(`documented for ${kind}: ${filter}`, (t) => {
      const parsed = parse(filter);
      t.deepEqual(parsed.ok ? [] : parsed.violations, []);
      t.true(parsed.ok);
    });
  }

  for (const filter of examples(`${kind}-refused`)) {
    test(`documented as refused for ${kind}: ${filter}`, (t) => {
      const parsed = parse(filter);
      t.regex(parsed.ok ? 'taken' : (parsed.violations[0]?.description ?? ''), /^At character \d+: expected .+\.$/);
    });
  }
}
