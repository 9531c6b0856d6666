import type { Operation } from './operation.ts';

/** One line for a person: when, whom, what, and what came of it. */
export function describeOperation({ number, node, call, startMs, endMs, answer }: Operation): string {
  const times = `${startMs.toFixed(1)}–${answer.kind === 'unknown' ? '?' : endMs.toFixed(1)} ms`;
  return `#${number} ${times} ${node}: ${describeCall(call)} → ${describeAnswer(answer)}`;
}

function describeCall(call: Operation['call']): string {
  switch (call.kind) {
    case 'create':
      return `create ${call.content}`;
    case 'cancel':
      return 'cancel';
    case 'get':
      return call.token === undefined ? 'get' : `get with the token of revision ${call.token.revision}`;
    default:
      return call satisfies never;
  }
}

function describeAnswer(answer: Operation['answer']): string {
  switch (answer.kind) {
    case 'ok': {
      const { id, state, revision, cancelRequested } = answer.seen;
      return `${state}${cancelRequested ? ' (cancel requested)' : ''} at revision ${revision} of ${id}`;
    }
    case 'refused':
      return `refused: ${answer.reason}`;
    case 'unknown':
      return `unknown: ${answer.why}`;
    default:
      return answer satisfies never;
  }
}
