import type { TaskQueries } from '../../projections/tasks/queries.ts';
import type { Clock } from '../domain/clock.ts';
import { decideTask } from '../domain/task/decide-task.ts';
import { describeTask } from '../domain/task/describe-task.ts';
import { evolveTask } from '../domain/task/evolve-task.ts';
import type { CreateTask } from '../domain/task/task-command.ts';
import { absentTask, type TaskState } from '../domain/task/task-state.ts';
import type { Task } from '../gen/lehr/v1/task.ts';
import type { CreateTaskRequest, CreateTaskResponse, ImportPreview } from '../gen/lehr/v1/task_service.ts';
import type { Position } from '../log/position.ts';
import type { FindImage } from '../streams/find-image.ts';
import type { ReadSide } from '../streams/read-side.ts';
import type { TaskStreams } from '../streams/task-streams.ts';
import { ApiError, invalidArgument, type FieldViolation } from './api-error.ts';
import type { Call, TaskMethods } from './call.ts';
import { fingerprintOf } from './fingerprint.ts';
import { awaitReadToken, orUnavailable, readTokenOf } from './freshness.ts';
import { planTaskList } from './lists/list-tasks.ts';
import { requireId, taskExpired, taskNotFound } from './not-found.ts';
import type { PreviewImport } from './preview-import.ts';
import type { ProgressBoard } from './progress-board.ts';
import { newTaskId, taskIdOfRequest } from './task-ids.ts';
import { checkCreateTask } from './validate/create-task.ts';
import type { CreateTaskRules } from './validate/create-task-rules.ts';
import { checkImageOfSpec } from './validate/image-of-spec.ts';
import type { TaskWatches } from './watch/task-watches.ts';

/** What the task service works with. */
export interface TaskServiceDeps {
  readonly tasks: TaskStreams;
  readonly queries: TaskQueries;
  readonly readSide: ReadSide;
  readonly board: ProgressBoard;
  readonly watches: TaskWatches;
  readonly clock: Clock;
  readonly rules: CreateTaskRules;
  readonly previewImport: PreviewImport;
  readonly findImage: FindImage;
  /** `task-ttl`. */
  readonly defaultTtlMs: number;
}

/** `lehr.v1.TaskService`. */
export function taskService(deps: TaskServiceDeps): TaskMethods {
  const { tasks, queries, readSide, board, watches, clock, previewImport } = deps;

  const withProgress = (task: Task): Task => (task.state === 'STATE_RUNNING' ? { ...task, progress: board.get(task.id) } : task);

  const answer = (state: TaskState, position: Position) => ({ task: withProgress(describe(state)), readToken: readTokenOf(position) });

  /** What the import would find; nothing is looked at for other kinds. */
  const previewOf = async ({ spec, owner }: CreateTask, { signal }: Call): Promise<ImportPreview | undefined> =>
    (spec.kind?.$case === 'importImage' ? previewImport(spec.kind.value, owner, signal) : undefined);

  /** A read of one task: what is not the caller's does not exist. */
  const find = (id: string, call: Call): Task => {
    const task = queries.get(id);
    if (task?.owner !== call.owner) throw taskNotFound(id);
    if (task.state === 'STATE_EXPIRED') throw taskExpired(id);
    return withProgress(task);
  };

  return {
    async createTask(request, call) {
      const violations = checkCreateTask(request, deps.rules, call.owner);
      if (violations.length > 0 && !mayBeOfConfiguration(violations, request)) throw invalidArgument(violations);
      const command = commandOf(request, call, deps);
      if (violations.length > 0) {
        if (tasks.latest(command.id).status === 'absent') await orUnavailable(tasks.caughtUp(call.signal));
        if (tasks.latest(command.id).status === 'absent') throw invalidArgument(violations);
      }
      const unfit = await orUnavailable(checkImageOfSpec(request.spec, deps.findImage, deps.rules, call));
      // A request that is sent again is answered with its task, whatever became of the image, or of the configuration, since.
      if (unfit.length > 0 && tasks.latest(command.id).status === 'absent') throw invalidArgument(unfit);
      if (request.validateOnly) {
        const preview = violations.length > 0 ? undefined : await previewOf(command, call);
        return { ...rehearse(tasks.latest(command.id), command), preview };
      }
      const executed = await orUnavailable(tasks.execute(command.id, command, { isNew: request.requestId === '' }));
      if (executed.kind === 'refused') throw requestIdReused(executed, command.id);
      return { ...answer(executed.state, executed.position), preview: undefined };
    },

    async getTask({ id, readToken }, call) {
      requireId(id);
      await awaitReadToken(readSide, readToken, call.signal);
      return { task: find(id, call) };
    },

    async listTasks(request, call) {
      const planned = planTaskList(request, call.owner);
      if (!planned.ok) throw invalidArgument(planned.violations);
      await awaitReadToken(readSide, request.readToken, call.signal);
      const { plan } = planned;
      const { rows, nextPageToken } = plan.page(queries.list(plan, plan.orderBy, plan.limit));
      return { tasks: rows.map(withProgress), nextPageToken };
    },

    async cancelTask({ id }, call) {
      requireId(id);
      // Whose task it is never changes; one that this node does not know yet is decided on, and refused, by `execute`.
      const known = tasks.peek(id);
      if (known.status !== 'absent' && known.owner !== call.owner) throw taskNotFound(id);
      const executed = await orUnavailable(tasks.execute(id, (state) => {
        if (state.status !== 'absent' && state.owner !== call.owner) throw taskNotFound(id);
        return { type: 'requestCancel', now: clock.now() };
      }));
      if (executed.kind !== 'refused') return answer(executed.state, executed.position);
      if (executed.reason === 'TASK_NOT_FOUND') throw taskNotFound(id);
      if (executed.reason === 'TASK_EXPIRED') throw taskExpired(id);
      throw new ApiError('FAILED_PRECONDITION', executed.reason, executed.message);
    },

    watchTasks: (request, call) => watches.watch(request, call),
  };
}

/** Whether a request may have been accepted before it was refused: regions, credentials and file roots come and go. */
function mayBeOfConfiguration(violations: readonly FieldViolation[], { requestId }: CreateTaskRequest): boolean {
  return requestId !== '' && violations.every(({ field }) => field.startsWith('spec.'));
}

function commandOf(request: CreateTaskRequest, { owner }: Call, { clock, defaultTtlMs }: TaskServiceDeps): CreateTask {
  const { spec, labels, ttl, requestId } = request;
  const now = clock.now();
  if (spec === undefined) throw new TypeError('a request without spec was let through');
  return {
    type: 'createTask',
    id: requestId === '' ? newTaskId(now) : taskIdOfRequest(owner, requestId),
    owner, spec, labels, requestId, now,
    ttl: ttl ?? { seconds: BigInt(Math.trunc(defaultTtlMs / 1_000)), nanos: (defaultTtlMs % 1_000) * 1e6 },
    fingerprint: requestId === '' ? Buffer.alloc(0) : fingerprintOf({ spec, labels, ttl }),
  };
}

/** `validate_only`: the answer that the request would get, with revision 0 where the task does not exist. */
function rehearse(state: TaskState, command: CreateTask): Omit<CreateTaskResponse, 'preview'> {
  const decision = decideTask(state, command);
  if (decision.kind === 'refused') throw requestIdReused(decision, command.id);
  if (decision.kind === 'unchanged') return { task: describe(state), readToken: '' };
  return { task: { ...describeTask(evolveTask(command.id, absentTask, decision.event)), revision: 0n }, readToken: '' };
}

function describe(state: TaskState): Task {
  if (state.status === 'absent') throw new TypeError('a task that exists is absent');
  return describeTask(state);
}

function requestIdReused({ reason, message }: { readonly reason: string; readonly message: string }, taskId: string): ApiError {
  return new ApiError('ALREADY_EXISTS', reason, message, { metadata: { task_id: taskId } });
}
