import { readFileSync } from 'node:fs';
import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import { decodeCanonical, hashCanonical } from '../canonical.ts';
import { AcceptedRecord } from '../accepted-record.ts';
import { emptyHead, judge, type Head } from '../head.ts';
import { headerNames, parseSequence, type RecordHeaders } from '../record.ts';

const schema = readFileSync(new URL('schema.sql', import.meta.url), 'utf8');

/** The embedded log has one partition. */
export const embeddedPartition = 0;

/** Heads that are kept in memory; others are looked up. */
const headLimit = 50_000;

/** A row of the log as it is stored. */
export type LogRow = RecordHeaders & { readonly position: number; readonly value: Buffer; readonly hash: string };

/**
 * The log's table, in the thread that owns it. `append` judges and stores a batch in one transaction that is durable
 * when it returns (`synchronous=FULL`).
 */
export class LogTable {
  readonly #db: Database;
  readonly #heads = new Map<string, Head>();
  readonly #insert: Statement;
  readonly #head: Statement<[string], { ce_sequence: string; hash: string }>;
  readonly #after: Statement<[number, number], LogRow>;
  #end: number;

  /** `file` may be `:memory:`. */
  constructor(file: string) {
    this.#db = new Sqlite(file);
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL');
    // 16 MiB of log between checkpoints: a checkpoint waits for the disk, and so does every append behind it.
    this.#db.pragma('wal_autocheckpoint = 4000');
    this.#db.exec(schema);
    this.#insert = this.#db.prepare(`INSERT INTO log VALUES (?, ${headerNames.map(() => '?').join(', ')}, ?, ?)`);
    this.#head = this.#db.prepare('SELECT ce_sequence, hash FROM log WHERE ce_subject = ? ORDER BY ce_sequence DESC LIMIT 1');
    this.#after = this.#db.prepare('SELECT * FROM log WHERE position > ? ORDER BY position LIMIT ?');
    this.#end = this.#db.prepare<[], number | null>('SELECT max(position) FROM log').pluck().get() ?? 0;
  }

  /** The position of the last record; 0: none. */
  get end(): number {
    return this.#end;
  }

  /**
   * Judges each record against its stream's head, the earlier ones of the batch included, and stores those that fit.
   * Returns the accepted record or undefined for each. Throws when nothing was stored.
   */
  append(batch: readonly Uint8Array[]): (AcceptedRecord | undefined)[] {
    const heads = new Map<string, Head>();
    let end = this.#end;
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const outcomes = batch.map((canonical) => {
        const { headers, value } = decodeCanonical(canonical);
        const subject = headers.ce_subject;
        const head = heads.get(subject) ?? this.#headOf(subject);
        if (judge(head, headers) === 'void') return undefined;
        const hash = hashCanonical(canonical);
        end += 1;
        this.#insert.run(end, ...headerNames.map((name) => headers[name]), value, hash);
        heads.set(subject, { revision: head.revision + 1n, hash });
        return AcceptedRecord.fromCanonical(canonical, { hash, partition: embeddedPartition, offset: BigInt(end) });
      });
      this.#db.exec('COMMIT');
      this.#end = end;
      for (const [subject, head] of heads) this.#remember(subject, head);
      return outcomes;
    } catch (cause) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw cause;
    }
  }

  /** At most `limit` records after `position`, rebuilt from the stored bytes. */
  readAfter(position: number, limit: number): AcceptedRecord[] {
    return this.#after.all(position, limit).map(acceptedOf);
  }

  close(): void {
    this.#db.close();
  }

  #headOf(subject: string): Head {
    const known = this.#heads.get(subject);
    if (known !== undefined) return known;
    const row = this.#head.get(subject);
    return row === undefined ? emptyHead : { revision: parseSequence(row.ce_sequence) ?? 0n, hash: row.hash };
  }

  #remember(subject: string, head: Head): void {
    if (this.#heads.size >= headLimit) this.#heads.clear();
    this.#heads.set(subject, head);
  }
}

/** The record of a row. */
export function acceptedOf(row: LogRow): AcceptedRecord {
  const place = { hash: row.hash, partition: embeddedPartition, offset: BigInt(row.position) };
  return AcceptedRecord.fromRecord({ headers: row, value: row.value }, place);
}
