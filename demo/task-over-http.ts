import { setTimeout as pause } from 'node:timers/promises';

import { DemoError } from './run-to-the-end.ts';

/** Between two looks at a task. */
const lookEveryMs = 100;

/** What is awaited of a task comes sooner, or never. */
const patienceMs = 60_000;

/** What the demo asks of a task: over Connect, as anything that speaks HTTP and JSON can. */
export interface TaskOverHttp {
  /** The incarnation of the node that runs the newest attempt, once the task has fetched this share of its bytes. */
  readonly runner: (share: number) => Promise<string>;
}

/** The task `id`, as the node at `httpUrl` knows it. */
export function taskOverHttp(httpUrl: string, id: string, signal: AbortSignal): TaskOverHttp {
  const ask = async (method: string, request: object): Promise<unknown> => {
    const answer = await fetch(`${httpUrl}/lehr.v1.${method}`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(request), signal,
    });
    return answer.json();
  };
  return {
    async runner(share) {
      for (const untilMs = performance.now() + patienceMs; performance.now() < untilMs; await pause(lookEveryMs, undefined, { signal })) {
        const { task } = (await ask('TaskService/GetTask', { id })) as { readonly task?: { readonly progress?: Progress } };
        const { bytesDone = '0', bytesTotal = '0' } = task?.progress ?? {};
        if (Number(bytesTotal) === 0 || Number(bytesDone) < share * Number(bytesTotal)) continue;
        const { events } = (await ask('EventService/ListEvents', { subject: `tasks/${id}` })) as { readonly events: readonly Attempt[] };
        return events.findLast(({ attemptStarted }) => attemptStarted !== undefined)?.attemptStarted?.incarnation ?? '';
      }
      throw new DemoError(`task ${id} makes no progress`);
    },
  };
}

type Progress = { readonly bytesDone?: string; readonly bytesTotal?: string };
type Attempt = { readonly attemptStarted?: { readonly incarnation: string } };
