import test from 'ava';
import { parseTaskFilter } from '../../../src/api/lists/list-tasks.ts';
import { Watcher } from '../../../src/api/watch/watcher.ts';
import { WatcherIndex } from '../../../src/api/watch/watcher-index.ts';

/** A watch with this filter, opened in the index; and how it is closed. */
function open(index: WatcherIndex, filter: string): { readonly watcher: Watcher; readonly close: () => void } {
  const parsed = parseTaskFilter(filter);
  if (!parsed.ok) throw new Error(`${filter}: ${JSON.stringify(parsed.violations)}`);
  const { entry, matches } = parsed.filter;
  const watcher = new Watcher('default', matches, new Map(), false);
  index.add(watcher, entry);
  return { watcher, close: () => { index.delete(watcher, entry); } };
}

const filters = ['', 'labels.env != "prod"', 'labels.env > "a"', 'labels.env = "prod"', 'state = STATE_RUNNING AND labels.env = "prod"', 'labels.env = "test"', 'labels.a = "prod"'];

const cases: readonly (readonly [title: string, labels: Readonly<Record<string, string>>, expected: readonly string[]])[] = [
  ['no label', {}, filters.slice(0, 3)],
  ['another label', { tier: 'prod' }, filters.slice(0, 3)],
  ['the label', { env: 'prod' }, filters.slice(0, 5)],
  ['the label with another value', { env: 'test' }, [...filters.slice(0, 3), 'labels.env = "test"']],
  ['two labels', { env: 'prod', a: 'prod' }, [...filters.slice(0, 5), 'labels.a = "prod"']],
];

for (const [title, labels, expected] of cases) {
  test(`a task with ${title} is told to the watches whose filter does not ask for another label`, (t) => {
    const index = new WatcherIndex();
    const opened = new Map(filters.map((filter) => [open(index, filter).watcher, filter]));
    t.deepEqual([...index.candidates(labels)].map((watcher) => opened.get(watcher)), expected);
    t.is(index.size, filters.length);
    t.deepEqual([...index].map((watcher) => opened.get(watcher)), filters);
  });
}

test('a watch that was closed is told nothing', (t) => {
  const index = new WatcherIndex();
  for (const filter of filters) open(index, filter).close();
  t.is(index.size, 0);
  t.deepEqual([...index.candidates({ env: 'prod', a: 'prod' })], []);
});
