import type { Head } from '../log/head.ts';
import type { Verdict } from '../log/kafka/judge.ts';

/** Verdicts in a form that costs next to nothing to send where most are `accepted`. */
export interface PackedVerdicts {
  /** One for each verdict: what its kind has in `codeOf`. */
  readonly codes: Uint8Array;
  /** The heads of the void ones, in order. */
  readonly heads: readonly Head[];
}

const codeOf = { accepted: 0, withheld: 1, void: 2 } as const satisfies Record<Verdict['kind'], number>;

const accepted: Verdict = { kind: 'accepted' };
const withheld: Verdict = { kind: 'withheld' };

export function packVerdicts(verdicts: readonly Verdict[]): PackedVerdicts {
  const codes = new Uint8Array(verdicts.length);
  const heads: Head[] = [];
  verdicts.forEach((verdict, index) => {
    codes[index] = codeOf[verdict.kind];
    if (verdict.kind === 'void') heads.push(verdict.head);
  });
  return { codes, heads };
}

export function unpackVerdicts({ codes, heads }: PackedVerdicts): Verdict[] {
  const verdicts: Verdict[] = [];
  let next = 0;
  for (const code of codes) {
    const head = code === codeOf.void ? heads[next] : undefined;
    if (head !== undefined) {
      next += 1;
      verdicts.push({ kind: 'void', head });
    } else {
      verdicts.push(code === codeOf.accepted ? accepted : withheld);
    }
  }
  return verdicts;
}
