import { randomUUID } from 'node:crypto';
import { failure } from '../../src/domain/failures.ts';
import type { Payload } from '../../src/domain/decision.ts';
import { encodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import { sealRecord } from '../../src/log/envelope.ts';
import type { AppendOutcome, EventLog } from '../../src/log/event-log.ts';
import { emptyHead, type Head } from '../../src/log/head.ts';
import { spec } from '../domain/task-fixtures.ts';

const time = new Date(Date.UTC(2026, 0, 1));

/**
 * The stream of a task that can go on for ever: created, attempt 1 started and failed, attempt 2 started and failed … Every
 * candidate has an id of its own, so that two of them for one revision are two records.
 */
export class TaskChain {
  readonly id: string;
  readonly #paddingBytes: number;
  head: Head = emptyHead;

  /** `paddingBytes`: about so large are the failures. */
  constructor({ id = randomUUID(), paddingBytes = 0 }: { readonly id?: string; readonly paddingBytes?: number } = {}) {
    this.id = id;
    this.#paddingBytes = paddingBytes;
  }

  get subject(): string {
    return `tasks/${this.id}`;
  }

  /** A record that fits on `head`, which is the chain's own unless a test wants to claim another place. */
  candidate(head: Head = this.head): Buffer {
    return encodeCanonical(sealRecord(this.subject, head, { payload: this.#payloadAt(head.revision + 1n), time, owner: 'blue' }));
  }

  /** The chain goes on after `canonical`, which was accepted. */
  advance(canonical: Uint8Array): void {
    this.head = { revision: this.head.revision + 1n, hash: hashCanonical(canonical) };
  }

  /** Appends the next record, and advances where it was accepted. */
  async append(log: EventLog): Promise<{ readonly canonical: Buffer; readonly outcome: AppendOutcome }> {
    const canonical = this.candidate();
    const outcome = await log.append(canonical);
    if (outcome.kind === 'accepted') this.advance(canonical);
    return { canonical, outcome };
  }

  #payloadAt(revision: bigint): Payload {
    const attempt = Number(revision / 2n);
    if (revision === 1n) {
      const ttl = { seconds: 3_600n, nanos: 0 };
      return { $case: 'taskCreated', value: { spec, labels: {}, ttl, requestId: '', fingerprint: Buffer.from('f') } };
    }
    if (revision % 2n === 0n) return { $case: 'attemptStarted', value: { attempt, node: 'node-1', incarnation: 'life-1' } };
    const cause = failure('SOURCE_UNREACHABLE', 'refused', { padding: 'x'.repeat(this.#paddingBytes) });
    return { $case: 'attemptFailed', value: { attempt, failure: cause, retryTime: time } };
  }
}
