import test from 'ava';
import type { ExecutionContext } from 'ava';

import { describeImage } from '../../../src/domain/image/image.ts';
import { describeTask } from '../../../src/domain/task/describe-task.ts';
import { parseImageFilter } from '../../../src/api/lists/list-images.ts';
import { parseTaskFilter } from '../../../src/api/lists/list-tasks.ts';
import type { ParsedFilter } from '../../../src/api/lists/parse-filter.ts';
import { seededRandom } from '../../domain/seeded-random.ts';
import { diskFormats, keys, moments, owners, pick, randomImage, randomTask, sizes, tablesOf, texts } from './random-resources.ts';

const seed = 20_260_105;
const rows = 120;
const filters = 800;

const random = seededRandom(seed);
const taskStates = Array.from({ length: rows }, (_, number) => randomTask(random, number));
const imageStates = Array.from({ length: rows }, (_, number) => randomImage(random, number));
const db = tablesOf(taskStates, imageStates);
const tasks = taskStates.map(describeTask);
const images = imageStates.map(describeImage);

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
const text = (): string => quoted(pick(random, texts));
const owner = (): string => quoted(pick(random, owners));
const key = (map: string): string => `${map}.${quoted(pick(random, keys))}`;
const size = (): string => pick(random, sizes).toString();

/** A moment that some resources have, or one beside it: finer than a millisecond, or at another offset. */
const time = (): string => {
  const iso = pick(random, moments).toISOString();
  return quoted(pick(random, [iso, iso.replace('Z', '0001Z'), iso.replace('T00', 'T02').replace('Z', '+02:00')]));
};

const equality = ['=', '!='] as const;
const all = ['=', '!=', '<', '<=', '>', '>='] as const;

interface Shape {
  readonly field: string;
  readonly operators: readonly string[];
  left(): string;
  right(): string;
}

const shape = (field: string, operators: readonly string[], right: () => string, left = (): string => field): Shape =>
  ({ field, operators, left, right });

const times = (...fields: readonly string[]): readonly Shape[] => fields.map((field) => shape(field, all, time));

const taskShapes: readonly Shape[] = [
  shape('state', equality, () => pick(random, ['STATE_PENDING', 'STATE_RUNNING', '"STATE_SUCCEEDED"', 'STATE_FAILED', 'STATE_CANCELED', 'STATE_EXPIRED'])),
  shape('kind', equality, () => pick(random, ['import', '"export"', 'clone'])),
  shape('owner', all, owner),
  shape('labels', all, text, () => key('labels')),
  ...times('create_time', 'update_time', 'end_time', 'expire_time'),
];

const imageShapes: readonly Shape[] = [
  shape('name', all, text),
  shape('digest', all, text),
  shape('owner', all, owner),
  shape('format', equality, () => pick(random, diskFormats)),
  shape('size_bytes', all, size),
  shape('virtual_size_bytes', all, size),
  shape('tags', [':'], text),
  shape('properties', all, text, () => key('properties')),
  ...times('create_time', 'update_time'),
];

/** Asks the table and the predicate, and compares what they say; returns how many resources matched. */
function compare<R extends { readonly id: string }>(
  t: ExecutionContext, table: string, resources: readonly R[], filter: string, parse: (filter: string) => ParsedFilter<R>,
): number {
  const parsed = parse(filter);
  if (!parsed.ok) {
    t.fail(`${filter}: ${parsed.violations[0]?.description ?? ''}`);
    return 0;
  }
  const { where, parameters } = parsed.filter;
  const listed = db.prepare<unknown[], string>(`SELECT id FROM ${table} WHERE ${where} ORDER BY id`).pluck().all(...parameters);
  const watched = resources.filter((resource) => parsed.filter.matches(resource)).map(({ id }) => id);
  t.deepEqual(watched, listed, `seed ${seed}: ${filter}`);
  return listed.length;
}

const resources = [
  ['tasks', taskShapes, (t: ExecutionContext, filter: string) => compare(t, 'tasks', tasks, filter, parseTaskFilter)],
  ['images', imageShapes, (t: ExecutionContext, filter: string) => compare(t, 'images', images, filter, parseImageFilter)],
] as const;

for (const [table, shapes, ask] of resources) {
  for (const { field, operators, left, right } of shapes) {
    for (const operator of operators) {
      test(`${table}: the list and the watch agree on ${field} ${operator}`, (t) => {
        const matched = Array.from({ length: 40 }, () => ask(t, `${left()} ${operator} ${right()}`));
        t.true(matched.some((count) => count > 0), 'some filter finds something');
        t.true(matched.some((count) => count < rows), 'some filter leaves something out');
      });
    }
  }

  test(`${table}: the list and the watch agree on random filters (seed ${seed})`, (t) => {
    const matched = Array.from({ length: filters }, () => {
      const conditions = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
        const { left, operators, right } = pick(random, shapes);
        return `${left()} ${pick(random, operators)} ${right()}`;
      });
      return ask(t, conditions.join(' AND '));
    });
    t.true(matched.filter((count) => count > 0 && count < rows).length > filters / 4);
  });
}

test('an empty filter takes everything', (t) => {
  t.is(compare(t, 'tasks', tasks, '', parseTaskFilter), rows);
  t.is(compare(t, 'images', images, '', parseImageFilter), rows);
});
