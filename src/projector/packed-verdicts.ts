import type { Head } from '../log/head.ts';
import type { Verdict } from '../log/kafka/judge.ts';

/** Verdicts in a form that costs nothing to send while all are `accepted`. */
export interface PackedVerdicts {
  /** For each verdict the index of its kind in `kinds`. */
  readonly codes: Uint8Array;
  /** The heads of the void ones, in order. */
  readonly heads: readonly Head[];
}

const kinds = ['accepted', 'withheld', 'void'] as const satisfies readonly Verdict['kind'][];

const accepted: Verdict = { kind: 'accepted' };
const withheld: Verdict = { kind: 'withheld' };

export function packVerdicts(verdicts: readonly Verdict[]): PackedVerdicts {
  return {
    codes: Uint8Array.from(verdicts, ({ kind }) => kinds.indexOf(kind)),
    heads: verdicts.flatMap((verdict) => (verdict.kind === 'void' ? [verdict.head] : [])),
  };
}

export function unpackVerdicts({ codes, heads }: PackedVerdicts): Verdict[] {
  let next = 0;
  return Array.from(codes, (code): Verdict => {
    if (code === kinds.indexOf('accepted')) return accepted;
    const head = code === kinds.indexOf('void') ? heads[next] : undefined;
    if (head === undefined) return withheld;
    next += 1;
    return { kind: 'void', head };
  });
}
