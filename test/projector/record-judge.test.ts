import test from 'ava';
import Sqlite from 'better-sqlite3';
import { projections } from '../../projections/all.ts';
import { Timestamp } from '../../src/gen/google/protobuf/timestamp.ts';
import { AttemptFailed } from '../../src/gen/lehr/v1/event.ts';
import { decodeCanonical, encodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import { emptyHead, type Head } from '../../src/log/head.ts';
import type { Halt, ReadRecord, Verdict } from '../../src/log/kafka/judge.ts';
import type { LogRecord } from '../../src/log/record.ts';
import { openProjections } from '../../src/projector/open-projections.ts';
import type { Projection } from '../../src/projector/projection.ts';
import { Projector } from '../../src/projector/projector.ts';
import { RecordJudge } from '../../src/projector/record-judge.ts';
import { TaskChain } from '../contract/task-chain.ts';
import { settings } from '../projections/project.ts';
import { tableDigests } from '../simulation/table-digests.ts';

/** What is read of partition 0, unless another is named; offsets ascend by themselves, with gaps as in Kafka. */
interface Step {
  readonly canonical: Uint8Array;
  readonly partition?: number;
  readonly offset?: bigint;
  readonly isForeign?: true;
  readonly verdict: Verdict;
}

interface Case {
  readonly steps: readonly Step[];
  readonly halts?: readonly Halt[];
  /** Records of unknown types. */
  readonly unknownTypes?: number;
}

const accepted: Verdict = { kind: 'accepted' };
const withheld: Verdict = { kind: 'withheld' };
const voidAt = (head: Head): Verdict => ({ kind: 'void', head });

/** The records of a new stream, in order. */
function chainOf(length: number, id?: string): { readonly chain: TaskChain; readonly records: readonly Buffer[] } {
  const chain = new TaskChain(id === undefined ? {} : { id });
  const records = Array.from({ length }, () => {
    const record = chain.candidate();
    chain.advance(record);
    return record;
  });
  return { chain, records };
}

/** The head after the `revision` first records. */
function headOf(records: readonly Uint8Array[], revision: number): Head {
  return revision === 0 ? emptyHead : { revision: BigInt(revision), hash: hashCanonical(records[revision - 1]!) };
}

function altered(canonical: Uint8Array, change: (record: LogRecord) => LogRecord): Buffer {
  return encodeCanonical(change(decodeCanonical(canonical)));
}

/** An `AttemptFailed` whose retry time, field 3, is beyond all dates: written by hand, since the encoder takes no such time. */
function withEndlessRetryTime(canonical: Uint8Array): Buffer {
  const time = Timestamp.encode({ seconds: 2n ** 60n, nanos: 0 }).finish();
  const failed = AttemptFailed.encode({ attempt: 1, failure: undefined, retryTime: undefined }).finish();
  const value = Buffer.concat([failed, Buffer.from([0x1a, time.length]), time]);
  return altered(canonical, ({ headers }) => ({ headers, value }));
}

const brokenValue = (canonical: Uint8Array): Buffer => altered(canonical, (record) => ({ ...record, value: Buffer.from([0xff]) }));

const id = '11111111-1111-4111-8111-111111111111';
const haltAt = (partition: number, offset: bigint, record: string, problem: string): Halt => ({
  partition, offset, message: `the record at position ${partition}-${offset}${record} cannot be applied: ${problem}`,
});

const cases: Readonly<Record<string, () => Case>> = {
  'the records of a stream in order': () => {
    const { records } = chainOf(4);
    return { steps: records.map((canonical) => ({ canonical, verdict: accepted })) };
  },
  'of two records for a revision the first one read, and what follows the other is void too': () => {
    const { chain, records } = chainOf(1);
    const [winner, loser] = [chain.candidate(), chain.candidate()];
    const afterLoser = chain.candidate({ revision: 2n, hash: hashCanonical(loser) });
    chain.advance(winner);
    const head = voidAt({ ...chain.head });
    return { steps: [
      { canonical: records[0]!, verdict: accepted },
      { canonical: winner, verdict: accepted },
      { canonical: loser, verdict: head },
      { canonical: afterLoser, verdict: head },
      { canonical: chain.candidate(), verdict: accepted },
    ] };
  },
  'of two first records the first one read': () => {
    const chain = new TaskChain();
    const [winner, loser] = [chain.candidate(), chain.candidate()];
    return { steps: [{ canonical: winner, verdict: accepted }, { canonical: loser, verdict: voidAt(headOf([winner], 1)) }] };
  },
  'a copy at once, and copies of the first and the second record much later': () => {
    const { records } = chainOf(4);
    return { steps: [
      { canonical: records[0]!, verdict: accepted },
      { canonical: records[0]!, verdict: voidAt(headOf(records, 1)) },
      ...records.slice(1).map((canonical) => ({ canonical, verdict: accepted })),
      { canonical: records[0]!, verdict: voidAt(headOf(records, 4)) },
      { canonical: records[1]!, verdict: voidAt(headOf(records, 4)) },
    ] };
  },
  'a copy that came too early proves nothing: it is accepted when it comes again': () => {
    const { records } = chainOf(3);
    return { steps: [
      { canonical: records[2]!, verdict: voidAt(emptyHead) },
      { canonical: records[0]!, verdict: accepted },
      { canonical: records[2]!, verdict: voidAt(headOf(records, 1)) },
      { canonical: records[1]!, verdict: accepted },
      { canonical: records[2]!, verdict: accepted },
    ] };
  },
  'a record that names another predecessor': () => {
    const { chain, records } = chainOf(2);
    const head = voidAt(headOf(records, 2));
    return { steps: [
      ...records.map((canonical) => ({ canonical, verdict: accepted })),
      { canonical: chain.candidate({ revision: 2n, hash: 'f'.repeat(64) }), verdict: head },
      { canonical: chain.candidate({ revision: 2n, hash: headOf(records, 1).hash }), verdict: head },
      { canonical: chain.candidate({ revision: 2n, hash: emptyHead.hash }), verdict: head },
    ] };
  },
  'a foreign record is void although it fits, decoded or not, and the same record where it belongs is accepted': () => {
    const { records } = chainOf(2);
    return { steps: [
      { canonical: records[0]!, isForeign: true, verdict: voidAt(emptyHead) },
      { canonical: Buffer.from('no record at all'), isForeign: true, verdict: voidAt(emptyHead) },
      { canonical: records[0]!, partition: 1, verdict: accepted },
      { canonical: records[1]!, isForeign: true, verdict: voidAt(emptyHead) },
      { canonical: records[1]!, partition: 1, verdict: accepted },
    ] };
  },
  'records of unknown types, of streams that are known and not, move the head and are counted': () => {
    const { chain, records } = chainOf(1);
    const praised = altered(chain.candidate(), (record) => ({ ...record, headers: { ...record.headers, ce_type: 'lehr.v9.TaskPraised' } }));
    chain.advance(praised);
    // What the stream is goes on from before the unknown event.
    chain.head = { revision: 1n, hash: chain.head.hash };
    const started = altered(chain.candidate(), ({ headers, value }) => ({ value, headers: { ...headers, ce_sequence: '00000000000000000003' } }));
    const planet = altered(praised, (record) => ({ ...record, headers: {
      ...record.headers, ce_subject: 'planets/earth', ce_sequence: '00000000000000000001', ce_predecessorhash: emptyHead.hash,
    } }));
    return {
      unknownTypes: 2,
      steps: [
        { canonical: records[0]!, verdict: accepted },
        { canonical: praised, verdict: accepted },
        { canonical: praised, verdict: voidAt({ revision: 2n, hash: hashCanonical(praised) }) },
        { canonical: started, verdict: accepted },
        { canonical: planet, verdict: accepted },
        { canonical: planet, verdict: voidAt({ revision: 1n, hash: hashCanonical(planet) }) },
      ],
    };
  },
  'a value that does not decode halts its partition, and no other': () => {
    const { chain, records } = chainOf(1, id);
    const [bystander, elsewhere] = [chainOf(1), chainOf(2)];
    const broken = brokenValue(chain.candidate());
    return {
      halts: [haltAt(0, 20n, `, lehr.v1.AttemptStarted of tasks/${id}, revision 2,`, 'premature EOF')],
      steps: [
        { canonical: records[0]!, verdict: accepted },
        { canonical: elsewhere.records[0]!, partition: 1, verdict: accepted },
        { canonical: broken, offset: 20n, verdict: withheld },
        { canonical: broken, verdict: withheld },
        { canonical: bystander.records[0]!, verdict: withheld },
        { canonical: records[0]!, isForeign: true, verdict: withheld },
        { canonical: records[0]!, offset: 0n, verdict: voidAt(headOf(records, 1)) },
        { canonical: elsewhere.records[1]!, partition: 1, verdict: accepted },
      ],
    };
  },
  'a value that does not decode halts nothing where the rule refuses the record, or every node was told to pass over it': () => {
    const { chain, records } = chainOf(2);
    const [late, fits] = [brokenValue(records[1]!), brokenValue(chain.candidate())];
    return { steps: [
      ...records.map((canonical) => ({ canonical, verdict: accepted })),
      { canonical: late, verdict: voidAt(headOf(records, 2)) },
      { canonical: fits, isForeign: true, verdict: voidAt(emptyHead) },
      { canonical: chain.candidate(), verdict: accepted },
    ] };
  },
  'an event that cannot follow its stream halts the partition': () => {
    const { chain, records } = chainOf(1, id);
    const again = altered(records[0]!, ({ headers, value }) => ({
      value, headers: { ...headers, ce_sequence: '00000000000000000002', ce_predecessorhash: chain.head.hash },
    }));
    const problem = 'event taskCreated cannot follow a task that is pending';
    return {
      halts: [haltAt(0, 20n, `, lehr.v1.TaskCreated of tasks/${id}, revision 2,`, problem)],
      steps: [
        { canonical: records[0]!, verdict: accepted },
        { canonical: again, offset: 20n, verdict: withheld },
        { canonical: chain.candidate(), verdict: withheld },
      ],
    };
  },
  'an event that decodes and follows and cannot be stored halts its partition, and no other': () => {
    const { chain, records } = chainOf(2, id);
    const elsewhere = chainOf(3);
    const unstorable = withEndlessRetryTime(chain.candidate());
    return {
      unknownTypes: 0,
      halts: [haltAt(0, 20n, `, lehr.v1.AttemptFailed of tasks/${id}, revision 3,`, 'The number NaN cannot be converted to a BigInt because it is not an integer')],
      steps: [
        { canonical: records[0]!, verdict: accepted },
        { canonical: elsewhere.records[0]!, partition: 1, verdict: accepted },
        { canonical: records[1]!, verdict: accepted },
        { canonical: unstorable, offset: 20n, verdict: withheld },
        { canonical: elsewhere.records[1]!, partition: 1, verdict: accepted },
        { canonical: elsewhere.records[1]!, partition: 1, verdict: voidAt(headOf(elsewhere.records, 2)) },
        { canonical: chain.candidate(), verdict: withheld },
        { canonical: elsewhere.records[2]!, partition: 1, verdict: accepted },
      ],
    };
  },
  'a time that is none halts the partition': () => {
    const first = altered(new TaskChain({ id }).candidate(), ({ headers, value }) => ({ value, headers: { ...headers, ce_time: 'soon' } }));
    return {
      halts: [haltAt(2, 7n, `, lehr.v1.TaskCreated of tasks/${id}, revision 1,`, 'its ce_time is no time')],
      steps: [{ canonical: first, partition: 2, offset: 7n, verdict: withheld }],
    };
  },
  'bytes that are no record halt the partition': () => ({
    halts: [haltAt(0, 3n, '', 'record is cut short')],
    steps: [{ canonical: Buffer.from('\0\0\0\x04text'), offset: 3n, verdict: withheld }],
  }),
  'what was read before is void and changes nothing, whatever it is': () => {
    const { chain, records } = chainOf(2);
    const head = voidAt(headOf(records, 2));
    return { steps: [
      { canonical: records[0]!, offset: 5n, verdict: accepted },
      { canonical: records[1]!, offset: 9n, verdict: accepted },
      { canonical: records[1]!, offset: 9n, verdict: head },
      { canonical: records[0]!, offset: 5n, verdict: head },
      { canonical: chain.candidate(), offset: 9n, verdict: head },
      { canonical: Buffer.from('no record at all'), offset: 8n, verdict: voidAt(emptyHead) },
      { canonical: chain.candidate(), offset: 8n, isForeign: true, verdict: voidAt(emptyHead) },
      { canonical: chain.candidate(), offset: 10n, verdict: accepted },
    ] };
  },
};

/** Ways in which the same records may be handed over; `renew`: by a judge that has just been started on the same tables. */
const ways: readonly { readonly name: string; readonly batchSize: number; readonly renew: boolean }[] = [
  { name: 'in one batch', batchSize: Infinity, renew: false },
  { name: 'one by one', batchSize: 1, renew: false },
  { name: 'in pairs', batchSize: 2, renew: false },
  { name: 'one by one, starting anew before each', batchSize: 1, renew: true },
];

for (const [what, make] of Object.entries(cases)) {
  for (const { name, batchSize, renew } of ways) {
    const { steps, halts = [], unknownTypes = 0 } = make();
    // A halt lives as long as the process; after a start what was withheld is read again, and nothing behind it.
    if (renew && halts.length > 0) continue;
    test(`${what}, ${name}`, (t) => {
      const db = openProjections(':memory:', projections);
      let judge = new RecordJudge(new Projector(db, projections, settings));
      const records = readFrom(steps);
      const found: { verdicts: Verdict[]; halts: Halt[]; unknownTypes: number } = { verdicts: [], halts: [], unknownTypes: 0 };
      for (let at = 0; at < records.length; at += batchSize) {
        if (renew) judge = new RecordJudge(new Projector(db, projections, settings));
        const judged = judge.judge(records.slice(at, at + batchSize));
        found.verdicts.push(...judged.verdicts);
        found.halts.push(...judged.halts);
        found.unknownTypes += judged.unknownTypes;
      }
      t.deepEqual(found, { verdicts: steps.map(({ verdict }) => verdict), halts: [...halts], unknownTypes });
    });
  }
}

test('nothing of a halted partition is stored from the record that halted it on, and a start reads it again', (t) => {
  const { chain, records } = chainOf(1);
  const broken = brokenValue(chain.candidate());
  const batch: ReadRecord[] = [
    { partition: 3, offset: 1n, canonical: records[0]! },
    { partition: 3, offset: 2n, canonical: broken },
    { partition: 3, offset: 3n, canonical: chain.candidate() },
  ];
  const db = openProjections(':memory:', projections);
  for (let start = 0; start < 2; start += 1) {
    const { halts, places } = new RecordJudge(new Projector(db, projections, settings)).judge(batch);
    t.deepEqual(halts.map(({ partition, offset }) => [partition, offset]), [[3, 2n]]);
    t.deepEqual(places, start === 0 ? [{ partition: 3, offset: 1, hash: hashCanonical(records[0]!) }] : []);
  }
  t.deepEqual(db.prepare('SELECT * FROM applied_places').all(), [{ partition: 3, offset: 1, hash: hashCanonical(records[0]!) }]);
  t.is(db.prepare('SELECT count(*) FROM history').pluck().get(), 1);

  const passedOver = batch.map((record) => (record.offset === 2n ? { ...record, isForeign: true as const } : record));
  const told = new RecordJudge(new Projector(db, projections, settings)).judge(passedOver);
  t.deepEqual([told.verdicts.map(({ kind }) => kind), told.halts], [['void', 'void', 'accepted'], []]);
});

test('a disk that is full while the record at fault is looked for: nothing is stored, and the same batch comes again', (t) => {
  const { chain, records } = chainOf(2);
  let left = Infinity;
  const filling: Projection = {
    name: 'filling', version: 1, schema: '',
    prepare: () => () => {
      left -= 1;
      if (left === 0) throw new Sqlite.SqliteError('disk full', 'SQLITE_FULL');
    },
  };
  const all = [...projections, filling];
  const db = openProjections(':memory:', all);
  const judge = new RecordJudge(new Projector(db, all, settings));
  const [first, ...rest] = [...records, withEndlessRetryTime(chain.candidate())].map((canonical, offset): ReadRecord => (
    { partition: 0, offset: BigInt(offset), canonical }
  ));
  judge.judge([first!]);
  const before = tableDigests(db);
  const elsewhere = chainOf(2).records.map((canonical, offset): ReadRecord => ({ partition: 1, offset: BigInt(offset), canonical }));
  // Together nothing is reached; then the second of the single ones fails.
  left = 2;
  t.throws(() => judge.judge([...rest, ...elsewhere]), { message: 'disk full' });
  t.deepEqual(tableDigests(db), before);
  left = Infinity;
  const { verdicts, halts, places } = judge.judge([...rest, ...elsewhere]);
  t.deepEqual(verdicts.map(({ kind }) => kind), ['accepted', 'withheld', 'accepted', 'accepted']);
  t.deepEqual(halts.map(({ partition, offset }) => [partition, offset]), [[0, 2n]]);
  t.deepEqual(places.map(({ partition, offset }) => [partition, offset]), [[0, 1], [1, 1]]);
  t.deepEqual(db.prepare('SELECT partition, offset FROM applied_places').raw().all(), [[0, 1], [1, 1]]);
});

/** The steps as records, each 1, 2 or 3 after the one before it in its partition where no offset is named. */
function readFrom(steps: readonly Step[]): ReadRecord[] {
  const last = new Map<number, bigint>();
  return steps.map(({ canonical, partition = 0, offset, isForeign }, index) => {
    const at = offset ?? (last.get(partition) ?? -1n) + 1n + BigInt(index % 3);
    last.set(partition, at);
    return { partition, offset: at, canonical, ...(isForeign === true ? { isForeign } : {}) };
  });
}
