import type { TaskQueries } from '../../../projections/tasks/queries.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Task } from '../../gen/lehr/v1/task.ts';
import type { WatchTasksRequest, WatchTasksResponse } from '../../gen/lehr/v1/task_service.ts';
import type { Signals } from '../../jobs/signals.ts';
import type { Position } from '../../log/position.ts';
import type { AppliedEvent, Feed } from '../../projector/feed.ts';
import { ApiError, invalidArgument } from '../api-error.ts';
import type { Call } from '../call.ts';
import { parseTaskFilter, planTaskList } from '../lists/list-tasks.ts';
import { parseResumeToken, resumeTokenOf } from './resume-token.ts';
import type { WatchMessage } from './watch-buffer.ts';
import { Watcher } from './watcher.ts';
import { WatcherIndex } from './watcher-index.ts';

/** Tasks that are read from the projection at a time, for a snapshot or a resume. */
const pageRows = 500;

/** A bookmark follows changes after so long at the earliest. */
export const bookmarkIntervalMs = 1_000;

/** Watches that may be open at once on this server. */
export const watchLimit = 4_096;

/** What watches work with. */
export interface TaskWatchesDeps {
  readonly queries: TaskQueries;
  readonly feed: Feed;
  readonly signals: Signals;
  readonly clock: Clock;
}

/** All open watches of this server: tells each what happens, at the speed at which it listens. */
export class TaskWatches {
  readonly #deps: TaskWatchesDeps;
  readonly #watchers = new WatcherIndex();
  #stopping = false;

  constructor(deps: TaskWatchesDeps) {
    this.#deps = deps;
    deps.feed.listen((events, position) => { this.#onEvents(events, position); });
    deps.signals.listen(({ taskId, progress }) => {
      if (progress === undefined || this.#watchers.size === 0) return;
      const task = deps.queries.get(taskId);
      if (task === undefined) return;
      for (const watcher of this.#watchers.candidates(task.labels)) watcher.onProgress(task, progress);
    });
  }

  /** Open watches. */
  get count(): number {
    return this.#watchers.size;
  }

  /** Lets every watcher go, with a bookmark to resume from. */
  stop(): void {
    this.#stopping = true;
    for (const { buffer } of this.#watchers) buffer.end();
  }

  /** `WatchTasks`: the snapshot or what was missed, then changes as they come, until the caller hangs up. */
  async *watch({ filter, resumeToken }: WatchTasksRequest, call: Call): AsyncGenerator<WatchTasksResponse> {
    const parsed = parseTaskFilter(filter);
    const resumed = resumeToken === '' ? undefined : parseResumeToken(resumeToken, filter);
    if (!parsed.ok) throw invalidArgument(parsed.violations);
    if (resumed !== undefined && 'problem' in resumed) throw invalidArgument([{ field: 'resume_token', description: resumed.problem }]);
    if (this.#stopping) throw serverStops();
    if (this.#watchers.size >= watchLimit) throw new ApiError('RESOURCE_EXHAUSTED', 'TOO_MANY_WATCHES', `This server has ${watchLimit} open watches. Close some.`);
    // The watcher listens before the tables are read: what happens meanwhile waits in its buffer, told twice at the worst.
    const start = this.#deps.feed.position;
    const watcher = new Watcher(call.owner, (task) => parsed.filter.matches(task), start, resumed !== undefined);
    const { entry: label } = parsed.filter;
    this.#watchers.add(watcher, label);
    try {
      if (resumed === undefined) {
        for (const message of this.#snapshot(filter, call.owner, watcher)) yield { message };
        yield { message: { $case: 'snapshotEnd', value: { resumeToken: resumeTokenOf(start, filter) } } };
      } else {
        for (const message of this.#missed(resumed.position, watcher)) yield { message };
        yield bookmark(start, filter);
      }
      yield* this.#live(watcher, filter, start, call);
    } finally {
      this.#watchers.delete(watcher, label);
    }
  }

  async *#live(watcher: Watcher, filter: string, start: Position, call: Call): AsyncGenerator<WatchTasksResponse> {
    const { clock } = this.#deps;
    let told = start;
    let markedMs = clock.monotonicMs();
    while (!call.signal.aborted) {
      await watcher.buffer.wait(call.signal);
      const upTo = watcher.position;
      if (watcher.buffer.overflowed) {
        yield bookmark(told, filter);
        throw new ApiError('UNAVAILABLE', 'WATCH_TOO_SLOW', 'This watch did not keep up and was cut off. Resume it from its last bookmark.');
      }
      for (const message of watcher.buffer.drain()) yield { message };
      told = upTo;
      if (watcher.buffer.ended) {
        yield bookmark(told, filter);
        throw serverStops();
      }
      if (clock.monotonicMs() - markedMs >= bookmarkIntervalMs) {
        yield bookmark(told, filter);
        markedMs = clock.monotonicMs();
      }
    }
  }

  *#snapshot(filter: string, owner: string, watcher: Watcher): Generator<WatchMessage> {
    for (let pageToken = ''; ;) {
      const planned = planTaskList({ filter, pageSize: pageRows, pageToken, orderBy: 'create_time' }, owner);
      if (!planned.ok) throw invalidArgument(planned.violations);
      const { plan } = planned;
      const { rows, nextPageToken } = plan.page(this.#deps.queries.list(plan, plan.orderBy, plan.limit));
      for (const task of rows) {
        watcher.sent(task.id);
        yield { $case: 'snapshot', value: task };
      }
      if (nextPageToken === '') return;
      pageToken = nextPageToken;
    }
  }

  /** What has become, since `position`, of the tasks that have changed. */
  *#missed(position: Position, watcher: Watcher): Generator<WatchMessage> {
    for (const partition of new Set([...position.keys(), ...this.#deps.feed.position.keys()])) {
      for (let offset = Number(position.get(partition) ?? -1n); ;) {
        const rows = this.#deps.queries.changedAfter(watcher.owner, partition, offset, pageRows);
        for (const { task } of rows) yield this.#missedOf(task, watcher);
        const last = rows.at(-1);
        if (last === undefined) break;
        offset = last.offset;
      }
    }
  }

  #missedOf(task: Task, watcher: Watcher): WatchMessage {
    if (!watcher.wants(task)) return { $case: 'removed', value: { id: task.id } };
    watcher.sent(task.id);
    return { $case: 'change', value: task };
  }

  #onEvents(events: readonly AppliedEvent[], position: Position): void {
    if (this.#watchers.size === 0) return;
    const ids = new Set(events.filter(({ kind }) => kind === 'task').map(({ id }) => id));
    for (const id of ids) {
      const task = this.#deps.queries.get(id);
      if (task === undefined) continue;
      for (const watcher of this.#watchers.candidates(task.labels)) watcher.onChange(task);
    }
    for (const watcher of this.#watchers) watcher.position = position;
  }
}

function bookmark(position: Position, filter: string): WatchTasksResponse {
  return { message: { $case: 'bookmark', value: { resumeToken: resumeTokenOf(position, filter) } } };
}

function serverStops(): ApiError {
  return new ApiError('UNAVAILABLE', 'SERVER_STOPPING', 'This server stops. Resume the watch from its last bookmark, here or on another server.');
}
