import test from 'ava';

import { imageQueries } from '../../../projections/images/queries.ts';
import { taskQueries } from '../../../projections/tasks/queries.ts';
import { planImageList } from '../../../src/api/lists/list-images.ts';
import { planTaskList } from '../../../src/api/lists/list-tasks.ts';
import type { ListPlan, ListRequest, PlannedList } from '../../../src/api/lists/plan-list.ts';
import { describeImage } from '../../../src/domain/image/image.ts';
import { describeTask } from '../../../src/domain/task/describe-task.ts';
import type { Image } from '../../../src/gen/lehr/v1/image.ts';
import type { Task } from '../../../src/gen/lehr/v1/task.ts';
import { seededRandom } from '../../domain/seeded-random.ts';
import { randomImage, randomTask, tablesOf } from './random-resources.ts';

const random = seededRandom(7);
const taskStates = Array.from({ length: 200 }, (_, number) => randomTask(random, number));
const imageStates = Array.from({ length: 100 }, (_, number) => randomImage(random, number));
const db = tablesOf(taskStates, imageStates);
const tasks = taskStates.filter(({ status, owner }) => status !== 'expired' && owner === 'blue').map(describeTask);
const images = imageStates.filter(({ owner }) => owner === 'blue').map(describeImage);

const request = (change: Partial<ListRequest> = {}): ListRequest => ({ pageSize: 0, pageToken: '', filter: '', orderBy: '', ...change });

function planned<R>(list: PlannedList<R>): ListPlan<R> {
  if (!list.ok) throw new Error(list.violations[0]?.description);
  return list.plan;
}

/** All pages, one after the other, each by the token of the one before. */
function walk<R>(plan: (pageToken: string) => ListPlan<R>, read: (plan: ListPlan<R>) => readonly R[]): readonly (readonly R[])[] {
  const pages: (readonly R[])[] = [];
  let pageToken = '';
  do {
    const current = plan(pageToken);
    const page = current.page(read(current));
    pages.push(page.rows);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && pages.length < 100);
  return pages;
}

const readTasks = (plan: ListPlan<Task>): readonly Task[] => taskQueries(db).list(plan, plan.orderBy, plan.limit);
const readImages = (plan: ListPlan<Image>): readonly Image[] => imageQueries(db).list(plan, plan.orderBy, plan.limit);

type Key = (resource: never) => string | bigint | number;

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function inOrder<R extends { readonly id: string }>(
  resources: readonly R[], key: (resource: R) => string | bigint | number, descending: boolean,
): readonly string[] {
  const ascending = resources.toSorted((a, b) => {
    const [left, right] = [key(a), key(b)];
    const order = typeof left === 'string' && typeof right === 'string' ? bytewise(left, right) : left < right ? -1 : left > right ? 1 : 0;
    return order || bytewise(a.id, b.id);
  }).map(({ id }) => id);
  return descending ? ascending.toReversed() : ascending;
}

const taskOrders: Readonly<Record<string, Key>> = {
  create_time: (task: Task) => task.createTime?.getTime() ?? 0,
  update_time: (task: Task) => task.updateTime?.getTime() ?? 0,
  end_time: (task: Task) => task.endTime?.getTime() ?? 0,
  expire_time: (task: Task) => task.expireTime?.getTime() ?? 0,
};
const imageOrders: Readonly<Record<string, Key>> = {
  create_time: (image: Image) => image.createTime?.getTime() ?? 0,
  update_time: (image: Image) => image.updateTime?.getTime() ?? 0,
  name: (image: Image) => image.name,
  size_bytes: (image: Image) => image.sizeBytes,
};

for (const direction of ['', ' desc']) {
  for (const [field, key] of Object.entries(taskOrders)) {
    test(`tasks by ${field}${direction}: every page follows the one before, and no task is lost or doubled`, (t) => {
      const pages = walk((pageToken) => planned(planTaskList(request({ pageSize: 7, pageToken, orderBy: `${field}${direction}` }), 'blue')), readTasks);
      t.deepEqual(pages.flat().map(({ id }) => id), inOrder(tasks, key as (task: Task) => number, direction !== ''));
      t.deepEqual(pages.slice(0, -1).map(({ length }) => length), pages.slice(0, -1).map(() => 7));
    });
  }

  for (const [field, key] of Object.entries(imageOrders)) {
    test(`images by ${field}${direction}: every page follows the one before, and no image is lost or doubled`, (t) => {
      const pages = walk((pageToken) => planned(planImageList(request({ pageSize: 7, pageToken, orderBy: `${field}${direction}` }), 'blue')), readImages);
      t.deepEqual(pages.flat().map(({ id }) => id), inOrder(images, key as (image: Image) => string, direction !== ''));
    });
  }
}

test('without an order, the newest come first', (t) => {
  const expected = inOrder(tasks, taskOrders['create_time'] as (task: Task) => number, true);
  const plan = planned(planTaskList(request({ pageSize: 1_000 }), 'blue'));
  t.deepEqual(plan.page(readTasks(plan)).rows.map(({ id }) => id), expected);
});

test('a list with a filter is paged like any other', (t) => {
  const filter = 'state = STATE_FAILED AND end_time > "2026-01-01T00:00:00Z"';
  const pages = walk((pageToken) => planned(planTaskList(request({ pageSize: 3, pageToken, filter, orderBy: 'end_time' }), 'blue')), readTasks);
  const expected = tasks.filter(({ state, endTime }) => state === 'STATE_FAILED' && endTime !== undefined && endTime > new Date('2026-01-01T00:00:00Z'));
  t.true(expected.length > 3);
  t.deepEqual(pages.flat().map(({ id }) => id), inOrder(expected, taskOrders['end_time'] as (task: Task) => number, false));
});

test('another owner sees only what is theirs, whatever the filter says', (t) => {
  const plan = planned(planTaskList(request({ pageSize: 1_000, filter: 'owner = "red"' }), 'blue'));
  t.deepEqual(plan.page(readTasks(plan)), { rows: [], nextPageToken: '' });
});

test('a page that is exactly full and the last has no token', (t) => {
  const plan = planned(planTaskList(request({ pageSize: tasks.length }), 'blue'));
  const page = plan.page(readTasks(plan));
  t.deepEqual([page.rows.length, page.nextPageToken], [tasks.length, '']);
});

test('rows that come and go between two pages make no other row appear twice or never', (t) => {
  const own = tablesOf(taskStates, []);
  const read = (plan: ListPlan<Task>): readonly Task[] => taskQueries(own).list(plan, plan.orderBy, plan.limit);
  const before = inOrder(tasks, taskOrders['create_time'] as (task: Task) => number, true);
  const pages = walk((pageToken) => {
    // The page before loses its last row, the very one that the token names.
    if (pageToken !== '') own.prepare('DELETE FROM tasks WHERE id = ?').run(before[9]!);
    return planned(planTaskList(request({ pageSize: 10, pageToken }), 'blue'));
  }, read);
  t.deepEqual(pages.flat().map(({ id }) => id), before);
});

test('the newest tasks and the pages after them are read from the index, without sorting', (t) => {
  const [first] = [planned(planTaskList(request({ pageSize: 7 }), 'blue'))];
  const { nextPageToken: pageToken } = first.page(readTasks(first));
  for (const plan of [first, planned(planTaskList(request({ pageSize: 7, pageToken }), 'blue'))]) {
    const sql = `EXPLAIN QUERY PLAN SELECT task FROM tasks WHERE ${plan.where} ORDER BY ${plan.orderBy} LIMIT ?`;
    const steps = db.prepare<unknown[], { detail: string }>(sql).all(...plan.parameters, plan.limit).map(({ detail }) => detail);
    t.is(steps.length, 1);
    t.regex(steps[0] ?? '', /^SEARCH tasks USING INDEX tasks_by_create_time/);
  }
});

const sizes: readonly (readonly [pageSize: number, limit: number])[] = [
  [0, 51], [1, 2], [50, 51], [1_000, 1_001], [1_001, 1_001], [2 ** 31 - 1, 1_001],
];

for (const [pageSize, limit] of sizes) {
  test(`page_size ${pageSize} reads ${limit} rows, one more than it shows`, (t) => {
    t.is(planned(planTaskList(request({ pageSize }), 'blue')).limit, limit);
  });
}

const firstPage = planned(planTaskList(request({ pageSize: 2, filter: 'kind = import', orderBy: 'create_time' }), 'blue'));
const pageToken = firstPage.page(readTasks(firstPage)).nextPageToken;
const same = { pageToken, filter: 'kind = import', orderBy: 'create_time' };
const foreign = [{
  field: 'page_token',
  description: 'The token is damaged, or of a list with another filter or order_by. Repeat the request of the page before with its next_page_token, or begin again without one.',
}];
const order = (found: string): string => `Expected one of create_time, update_time, end_time, expire_time, with " desc" for the reverse, found ${found}.`;

test('a token may be used with another page size and with other spaces in the order', (t) => {
  t.true(planTaskList(request(same), 'blue').ok);
  t.true(planTaskList(request({ ...same, pageSize: 9, orderBy: '  create_time ' }), 'blue').ok);
});

const refusals: readonly (readonly [title: string, list: PlannedList<Task> | PlannedList<Image>, violations: readonly unknown[]])[] = [
  ['a token of another filter', planTaskList(request({ ...same, filter: 'kind = export' }), 'blue'), foreign],
  ['a token of another order', planTaskList(request({ ...same, orderBy: 'update_time' }), 'blue'), foreign],
  ['a token of the reverse order', planTaskList(request({ ...same, orderBy: 'create_time desc' }), 'blue'), foreign],
  ['a token of another owner', planTaskList(request(same), 'red'), foreign],
  ['a token of another list', planImageList(request({ pageToken, orderBy: 'create_time' }), 'blue'), foreign],
  ['a token that is none', planTaskList(request({ pageToken: 'page-2' }), 'blue'), foreign],
  ['a negative page size', planTaskList(request({ pageSize: -1 }), 'blue'), [
    { field: 'page_size', description: 'Expected 0 (for 50) or a number from 1 to 1,000, found -1.' },
  ]],
  ['an order by a field that has none', planTaskList(request({ orderBy: 'state' }), 'blue'), [{ field: 'order_by', description: order('"state"') }]],
  ['an order in capitals', planTaskList(request({ orderBy: 'create_time DESC' }), 'blue'), [{ field: 'order_by', description: order('"create_time DESC"') }]],
  ['an order by two fields', planTaskList(request({ orderBy: 'create_time, end_time' }), 'blue'), [
    { field: 'order_by', description: order('"create_time, end_time"') },
  ]],
  ['an order with more words', planTaskList(request({ orderBy: 'create_time desc desc' }), 'blue'), [
    { field: 'order_by', description: order('"create_time desc desc"') },
  ]],
  ['an order that is no field', planTaskList(request({ orderBy: '1; DROP TABLE tasks' }), 'blue'), [
    { field: 'order_by', description: order('"1; DROP TABLE tasks"') },
  ]],
  ['an order of spaces beyond all bounds', planTaskList(request({ orderBy: ' '.repeat(1_000_000) }), 'blue'), [
    { field: 'order_by', description: order(`"${' '.repeat(40)}…"`) },
  ]],
  ['an order by a field of another resource', planImageList(request({ orderBy: 'end_time' }), 'blue'), [
    { field: 'order_by', description: 'Expected one of create_time, update_time, name, size_bytes, with " desc" for the reverse, found "end_time".' },
  ]],
  ['all of it at once', planTaskList({ pageSize: -5, pageToken: 'x', filter: 'x', orderBy: 'x' }, 'blue'), [
    {
      field: 'filter',
      description: 'At character 1: expected one of the fields id, state, kind, owner, labels.KEY, create_time, update_time, end_time, expire_time, found "x".',
    },
    { field: 'order_by', description: order('"x"') },
    { field: 'page_size', description: 'Expected 0 (for 50) or a number from 1 to 1,000, found -5.' },
  ]],
];

for (const [title, list, violations] of refusals) {
  test(`refused: ${title}`, (t) => {
    t.deepEqual(list as unknown, { ok: false, violations });
  });
}
