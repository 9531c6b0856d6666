import { projections } from '../../projections/all.ts';
import { historyQueries } from '../../projections/history/queries.ts';
import { AcceptedRecord } from '../../src/log/accepted-record.ts';
import { decodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import type { AppendOutcome, EventLog } from '../../src/log/event-log.ts';
import { emptyHead, judge, type Head } from '../../src/log/head.ts';
import { startPosition, type Position } from '../../src/log/position.ts';
import { AppliedPosition } from '../../src/projector/applied-position.ts';
import { openProjections } from '../../src/projector/open-projections.ts';
import { Projector } from '../../src/projector/projector.ts';
import { projectedReadSide } from '../../src/streams/projected-read-side.ts';
import type { ReadSide } from '../../src/streams/read-side.ts';

/** A log of one partition in memory by the real rule, whose projections follow only when told to, and whose answers can be scripted. */
export class ScriptedLog implements EventLog {
  readonly readSide: ReadSide;
  /** Every record that was sent, in order. */
  readonly sent: Uint8Array[] = [];
  /** Called before each append is judged; what it returns is answered instead, where it returns something. */
  beforeAppend: (canonical: Uint8Array) => Promise<AppendOutcome | undefined> = async () => undefined;
  /** How often the end was asked for. */
  ends = 0;
  /** Whether the projections follow at once. */
  following = true;
  readonly #applied = new AppliedPosition(startPosition);
  readonly #projector: Projector;
  readonly #records: AcceptedRecord[] = [];
  readonly #heads = new Map<string, Head>();

  constructor() {
    const db = openProjections(':memory:', projections);
    this.#projector = new Projector(db, projections, { stageTimeoutMs: 60_000 });
    this.readSide = projectedReadSide(historyQueries(db), this.#applied);
  }

  get records(): readonly AcceptedRecord[] {
    return this.#records;
  }

  async append(canonical: Uint8Array): Promise<AppendOutcome> {
    this.sent.push(canonical);
    return await this.beforeAppend(canonical) ?? this.land(canonical);
  }

  /** A record arrives, from whomever. */
  land(canonical: Uint8Array): AppendOutcome {
    const { headers } = decodeCanonical(canonical);
    const head = this.#heads.get(headers.ce_subject) ?? emptyHead;
    if (judge(head, headers) === 'void') return { kind: 'superseded' };
    const hash = hashCanonical(canonical);
    const offset = BigInt(this.#records.length + 1);
    this.#records.push(AcceptedRecord.fromCanonical(canonical, { hash, partition: 0, offset }));
    this.#heads.set(headers.ce_subject, { revision: head.revision + 1n, hash });
    if (this.following) this.follow();
    return { kind: 'accepted', position: new Map([[0, offset]]) };
  }

  /** The projections catch up. */
  follow(): void {
    this.#projector.apply(this.#records);
    this.#applied.advance(new Map([[0, BigInt(this.#records.length)]]));
  }

  async *read(): AsyncGenerator<readonly AcceptedRecord[]> {
    yield this.#records;
  }

  async end(): Promise<Position> {
    this.ends += 1;
    return this.#records.length === 0 ? startPosition : new Map([[0, BigInt(this.#records.length)]]);
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}
