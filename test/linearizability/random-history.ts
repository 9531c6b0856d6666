import type { Random } from '../simulation/random.ts';
import { cancel, create, get, getWith, historyOf, refused, taskId, unknown } from './history-of.ts';
import type { Written } from './history-of.ts';
import type { Answer, AskedCall, Operation, Seen } from './operation.ts';
import { absentModel, carryOut, stepsOf } from './task-model.ts';
import type { Phase, TaskModel } from './task-model.ts';

/** A call begins so long before it takes effect, and is answered so long after, at most. */
const longestWayMs = 40;

const states: Readonly<Record<Exclude<Phase, 'absent'>, Seen['state']>> = {
  pending: 'STATE_PENDING', running: 'STATE_RUNNING', stopping: 'STATE_RUNNING', committed: 'STATE_RUNNING', succeeded: 'STATE_SUCCEEDED',
  failed: 'STATE_FAILED', canceled: 'STATE_CANCELED', expired: 'STATE_EXPIRED',
};

const refusals = ['REQUEST_ID_REUSED', 'TASK_NOT_FOUND', 'TASK_COMMITTED', 'TASK_ENDED', 'TASK_EXPIRED'];

/** What clients of one task that is treated well may be told: `count` operations that overlap, some without an answer. */
export function randomHistory(random: Random, count: number): readonly Operation[] {
  const lived: TaskModel[] = [absentModel];
  const written: Written[] = [];
  for (let nowMs = longestWayMs; written.length < count; nowMs += random.between(1, 20)) {
    const model = lived.at(-1)!;
    const steps = stepsOf(model);
    if (steps.length > 0 && random.chance(0.4)) {
      lived.push(random.pick(steps));
      continue;
    }
    const call = random.pick([create(), create(), create('other'), cancel, get, get, 'read with a token'] as const);
    const at: Written['at'] = [nowMs - random.between(0, longestWayMs), nowMs + random.between(0, longestWayMs)];
    if (call === 'read with a token') readBack(random, lived, written, at);
    else if (call.kind === 'get') written.push({ at, call, answer: answerTo(call, random.pick(lived))[0] });
    else carry(random, lived, written, at, call);
  }
  return historyOf(...written);
}

function carry(random: Random, lived: TaskModel[], written: Written[], at: Written['at'], call: AskedCall): void {
  if (random.chance(0.1)) return void written.push({ at, call, answer: unknown });
  const [answer, after] = answerTo(call, lived.at(-1)!);
  if (after !== lived.at(-1)) lived.push(after);
  written.push({ at, call, answer: random.chance(0.1) ? unknown : answer });
}

/** The read begins after the answer with its token, which only a mutation gives, and sees that or more. */
function readBack(random: Random, lived: readonly TaskModel[], written: Written[], at: Written['at']): void {
  const origins = written.filter(({ at: [, endMs], call, answer }) => call.kind !== 'get' && answer.kind === 'ok' && endMs < at[0]);
  if (origins.length === 0) return;
  const { at: [startMs], answer } = random.pick(origins);
  if (answer.kind !== 'ok') return;
  const call = getWith(startMs, answer.seen.revision);
  written.push({ at, call, answer: answerTo(call, random.pick(lived.filter(({ revision }) => revision >= answer.seen.revision)))[0] });
}

/** The one answer that the model allows, and the task after it. */
function answerTo(call: AskedCall, model: TaskModel): readonly [Answer, TaskModel] {
  const attempt = (answer: Answer): TaskModel | undefined =>
    carryOut(model, { number: 0, requestId: '', node: '', startMs: 0, endMs: 0, call, answer });
  for (const reason of refusals) {
    if (attempt(refused(reason)) !== undefined) return [refused(reason), model];
  }
  const after = attempt(unknown)!;
  const seen = {
    id: taskId, state: after.phase === 'absent' ? 'STATE_UNSPECIFIED' as const : states[after.phase],
    cancelRequested: after.phase === 'stopping', revision: after.revision,
  };
  return [{ kind: 'ok', seen }, after];
}
