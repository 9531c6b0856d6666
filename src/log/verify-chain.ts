import { hashCanonical } from './canonical.ts';
import type { AcceptedRecord } from './accepted-record.ts';
import { emptyHead, type Head } from './head.ts';
import { parseSequence } from './record.ts';

/** One record that is not what it should be. */
export interface ChainFault {
  readonly partition: number;
  readonly offset: bigint;
  readonly subject: string;
  readonly revision: bigint;
  readonly message: string;
}

/**
 * Recomputes the chain of every stream from stored bytes, record by record in the order of the log. It keeps the head of
 * each stream that it has seen: about 200 bytes a stream.
 */
export class ChainVerifier {
  readonly #heads = new Map<string, Head>();
  #events = 0n;

  get events(): bigint {
    return this.#events;
  }

  get heads(): ReadonlyMap<string, Head> {
    return this.#heads;
  }

  /** What is wrong with the next record; undefined where nothing is. After a fault the stream goes on from what is stored. */
  check({ record: { headers }, canonical, hash, partition, offset }: AcceptedRecord): ChainFault | undefined {
    this.#events += 1n;
    const subject = headers.ce_subject;
    const head = this.#heads.get(subject) ?? emptyHead;
    const revision = parseSequence(headers.ce_sequence) ?? 0n;
    this.#heads.set(subject, { revision, hash });
    const fault = (message: string): ChainFault => ({ partition, offset, subject, revision, message });
    const computed = hashCanonical(canonical);
    if (computed !== hash) return fault(`the stored bytes hash to ${computed}, but ${hash} stands beside them: the record was altered`);
    if (revision !== head.revision + 1n) return fault(`revision ${head.revision + 1n} was expected here: records are missing, doubled or in another order`);
    if (headers.ce_predecessorhash !== head.hash) return fault(`it follows a record with hash ${headers.ce_predecessorhash}, but the one before it has ${head.hash}`);
    return undefined;
  }
}
