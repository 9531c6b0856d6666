import type { CreateTaskRequest } from '../../../src/gen/lehr/v1/task_service.ts';
import type { Api } from '../../acceptance/harness/api.ts';
import type { Part } from '../../acceptance/harness/part.ts';
import type { History, Recorded } from '../history.ts';

/** A node that takes calls now. */
export interface Door {
  readonly name: string;
  readonly api: Api;
}

/** Calls nodes on behalf of the owners of tasks, and records each call. */
export class ChaosClient {
  readonly #history: History;

  constructor(history: History) {
    this.#history = history;
  }

  /** `content` names what is asked for: the same for the same request. */
  create({ name, api }: Door, requestId: string, content: string, request: Part<CreateTaskRequest>): Promise<Recorded> {
    const needsImage = request.spec?.kind?.$case !== 'importImage';
    return this.#history.record(requestId, name, { kind: 'create', content, needsImage }, () => api.createTask({ ...request, requestId }));
  }

  cancel({ name, api }: Door, requestId: string, id: string): Promise<Recorded> {
    return this.#history.record(requestId, name, { kind: 'cancel', id }, () => api.cancelTask({ id }));
  }

  /** Reads the task, with the newest token that its owner has or without one. */
  get({ name, api }: Door, requestId: string, id: string, reads: 'with the newest token' | 'without a token'): Promise<Recorded> {
    const newest = reads === 'without a token' ? undefined : this.#history.acknowledged.get(requestId);
    const call = { kind: 'get' as const, id, token: newest?.origin };
    return this.#history.record(requestId, name, call, () => api.getTask({ id, readToken: newest?.readToken ?? '' }));
  }
}
