import type { Operation } from './operation.ts';
import { absentModel, carryOut, stepsOf } from './task-model.ts';
import type { TaskModel } from './task-model.ts';

/** Places that are looked at before the search gives up: a second or so. A history of a dozen operations needs some hundreds. */
export const placeLimit = 200_000;

/** Whether the operations of one task can be put in an order that explains every answer. */
export type Order = 'found' | 'none' | 'too large';

/** A place in the search: which operations were carried out, and the task after them. */
interface Place {
  readonly done: bigint;
  readonly model: TaskModel;
}

interface Interval {
  readonly operation: Operation;
  readonly bit: bigint;
  readonly startMs: number;
  /** Infinity: nothing has to wait for it. */
  readonly endMs: number;
  /** The task cannot be past this revision when it is carried out. */
  readonly latestRevision: number;
}

/**
 * Looks for an order of the operations on one task, and of what happened to it by itself between them, in which each answer is
 * what the model says and no operation is carried out before it began or after it was answered: the search of Wing and Gong
 * ("Testing and verifying concurrent objects", 1993) with Lowe's memory of places seen ("Testing for linearizability", 2017).
 *
 * A read need not be fresh: it may stand as early as the answer that its token came from, or anywhere before its end where it has
 * none. An operation without an answer may stand anywhere after its beginning, or nowhere.
 */
export function findOrder(operations: readonly Operation[], limit: number = placeLimit): Order {
  const intervals = operations.map(intervalOf);
  const required = intervals.filter(({ operation }) => operation.answer.kind !== 'unknown');
  const all = required.reduce((bits, { bit }) => bits | bit, 0n);
  // Beyond every revision that was seen, revisions are all alike: without this the task could go on for ever.
  const lastRevision = 1 + Math.max(0, ...operations.map(({ answer }) => (answer.kind === 'ok' ? answer.seen.revision : 0)));
  const seen = new Set<string>();
  const open: Place[] = [];
  const visit = (done: bigint, model: TaskModel): void => {
    const capped = model.revision > lastRevision ? { ...model, revision: lastRevision } : model;
    const key = `${done} ${capped.phase} ${capped.revision} ${capped.content ?? ''}`;
    if (seen.has(key)) return;
    seen.add(key);
    open.push({ done, model: capped });
  };
  visit(0n, absentModel);
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { done, model } = place;
    if ((done & all) === all) return 'found';
    if (seen.size > limit) return 'too large';
    const waiting = required.filter(({ bit }) => (done & bit) === 0n);
    if (waiting.some(({ latestRevision }) => latestRevision < model.revision)) continue;
    const firstEndMs = Math.min(...waiting.map(({ endMs }) => endMs));
    const next = intervals.filter(({ bit, startMs }) => (done & bit) === 0n && startMs <= firstEndMs);
    // What changes nothing is carried out as soon as it can be: that never stands in the way of anything else.
    const watched = next.filter(({ operation }) => operation.answer.kind !== 'unknown' && carryOut(model, operation) === model);
    if (watched.length > 0) {
      visit(watched.reduce((bits, { bit }) => bits | bit, done), model);
      continue;
    }
    for (const step of stepsOf(model)) visit(done, step);
    for (const { operation, bit } of next) {
      const after = carryOut(model, operation);
      if (after !== undefined && after !== model) visit(done | bit, after);
    }
  }
  return 'none';
}

function intervalOf(operation: Operation, index: number): Interval {
  const { call, answer, startMs, endMs } = operation;
  const earliestMs = call.kind !== 'get' ? startMs : call.token?.startMs ?? -Infinity;
  return {
    operation,
    bit: 1n << BigInt(index),
    startMs: earliestMs,
    endMs: answer.kind === 'unknown' ? Infinity : endMs,
    latestRevision: answer.kind === 'ok' ? answer.seen.revision : Infinity,
  };
}
