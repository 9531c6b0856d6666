import { findOrder } from './find-order.ts';
import type { Operation } from './operation.ts';

/** What the check of one history found. `history`: no more than what shows the fault, in the order in which it began. */
export type Verdict =
  | { readonly kind: 'linearizable' }
  | { readonly kind: 'violation'; readonly problem: string; readonly history: readonly Operation[] }
  | { readonly kind: 'too large' };

/**
 * Checks all operations under one request id: one task came of them, reads with a token saw at least what the token promises, and
 * there is an order that explains every answer. Says `too large` where no order was found and the search was given up.
 */
export function checkTask(operations: readonly Operation[]): Verdict {
  return checkIds(operations) ?? checkTokens(operations) ?? checkOrder(operations);
}

function checkIds(operations: readonly Operation[]): Verdict | undefined {
  const creates = operations.filter(({ call, answer }) => call.kind === 'create' && answer.kind === 'ok');
  const [first] = creates;
  const other = creates.find((create) => idOf(create) !== idOf(first));
  if (first !== undefined && other !== undefined) {
    return { kind: 'violation', problem: 'one request id gave two tasks', history: [first, other] };
  }
  const stranger = operations.find(({ call, answer }) => answer.kind === 'ok' && 'id' in call && call.id !== answer.seen.id);
  return stranger === undefined ? undefined : { kind: 'violation', problem: 'the answer is about another task', history: [stranger] };
}

function idOf(operation: Operation | undefined): string | undefined {
  return operation?.answer.kind === 'ok' ? operation.answer.seen.id : undefined;
}

function checkTokens(operations: readonly Operation[]): Verdict | undefined {
  for (const read of operations) {
    const { call, answer } = read;
    if (call.kind !== 'get' || call.token === undefined) continue;
    const { startMs, revision } = call.token;
    const saw = answer.kind === 'ok' ? answer.seen.revision : answer.kind === 'refused' && answer.reason === 'TASK_NOT_FOUND' ? 0 : Infinity;
    if (saw >= revision) continue;
    const origin = operations.filter((operation) => operation.startMs === startMs && operation.answer.kind === 'ok');
    return { kind: 'violation', problem: `a read with the token of revision ${revision} saw revision ${saw}`, history: [...origin, read] };
  }
  return undefined;
}

function checkOrder(operations: readonly Operation[]): Verdict {
  const order = findOrder(operations);
  if (order === 'found') return { kind: 'linearizable' };
  if (order === 'too large') return { kind: 'too large' };
  return { kind: 'violation', problem: 'no order of the operations explains the answers', history: smallest(operations) };
}

/**
 * Leaves out what the fault does not need: a read or a refusal altogether, the answer of anything else, which may then have been
 * carried out or not. Each such step allows more, never less, so what stays is a fault of its own.
 */
function smallest(operations: readonly Operation[]): readonly Operation[] {
  let kept = operations;
  for (const operation of operations) {
    const { call, answer } = operation;
    if (answer.kind === 'unknown') continue;
    const changesNothing = call.kind === 'get' || answer.kind === 'refused';
    const less = changesNothing
      ? kept.filter((other) => other !== operation)
      : kept.map((other): Operation => (other === operation ? { ...other, answer: { kind: 'unknown', why: 'its answer does not matter' } } : other));
    if (findOrder(less) === 'none') kept = less;
  }
  return withoutIdle(kept);
}

/** An operation without an answer need not have been carried out: what is a fault with it is one without it too. */
function withoutIdle(operations: readonly Operation[]): readonly Operation[] {
  return operations.filter(({ call, answer }) => answer.kind !== 'unknown' || call.kind !== 'get');
}
