import { kindOfSpec } from '../../domain/task/kind.ts';
import type { Task } from '../../gen/lehr/v1/task.ts';
import type { FilterField, FilterFields } from './filter-field.ts';
import type { OrderField } from './list-order.ts';
import { parseFilter, type ParsedFilter } from './parse-filter.ts';
import { planList, type ListRequest, type ListResource, type PlannedList } from './plan-list.ts';

const states = ['STATE_PENDING', 'STATE_RUNNING', 'STATE_SUCCEEDED', 'STATE_FAILED', 'STATE_CANCELED', 'STATE_EXPIRED'] as const;
const kinds = ['import', 'export', 'clone'] as const;

const filterFields: FilterFields<Task> = new Map<string, FilterField<Task>>([
  ['id', { kind: 'text', column: 'id', read: (task) => task.id }],
  ['state', { kind: 'name', column: 'state', names: states, read: (task) => task.state }],
  ['kind', { kind: 'name', column: 'kind', names: kinds, read: (task) => kindOfSpec(task.spec ?? { kind: undefined }) }],
  ['owner', { kind: 'text', column: 'owner', read: (task) => task.owner }],
  ['labels', { kind: 'map', column: 'labels', read: (task) => task.labels }],
  ['create_time', { kind: 'time', column: 'create_time', read: (task) => task.createTime }],
  ['update_time', { kind: 'time', column: 'update_time', read: (task) => task.updateTime }],
  ['end_time', { kind: 'time', column: 'end_time', read: (task) => task.endTime }],
  ['expire_time', { kind: 'time', column: 'expire_time', read: (task) => task.expireTime }],
]);

const byTime = (expression: string, timeOf: (task: Task) => Date | undefined): OrderField<Task> => ({
  expression, kind: 'integer', read: (task) => BigInt(timeOf(task)?.getTime() ?? 0),
});

const resource: ListResource<Task> = {
  method: 'lehr.v1.TaskService/ListTasks',
  filterFields,
  orderFields: new Map([
    ['create_time', byTime('create_time', (task) => task.createTime)],
    ['update_time', byTime('update_time', (task) => task.updateTime)],
    // A task that has not ended has neither; it stands where 1970 would.
    ['end_time', byTime('coalesce(end_time, 0)', (task) => task.endTime)],
    ['expire_time', byTime('coalesce(expire_time, 0)', (task) => task.expireTime)],
  ]),
  listed: `state <> 'STATE_EXPIRED'`,
  idOf: (task) => task.id,
};

/** Plans one page of `owner`'s tasks over the table `tasks`; expired ones are not listed. */
export function planTaskList(request: ListRequest, owner: string): PlannedList<Task> {
  return planList(resource, request, owner);
}

/** What a filter of tasks means. It says nothing of whose the tasks are: the caller's owner is checked besides. */
export function parseTaskFilter(filter: string): ParsedFilter<Task> {
  return parseFilter(filter, filterFields);
}
