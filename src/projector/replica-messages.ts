import type { Halt } from '../log/kafka/judge.ts';
import type { PackedRecords } from './packed-records.ts';
import type { PackedVerdicts } from './packed-verdicts.ts';
import type { AppliedPlace } from './projector.ts';

/** Messages to the replica thread. Each is answered, in order. */
export type ToReplica =
  | { readonly kind: 'judge'; readonly packed: PackedRecords }
  | { readonly kind: 'catchUp' }
  | { readonly kind: 'close' };

/** Messages from the replica thread. `places`: those that have changed. */
export type FromReplica =
  | { readonly kind: 'opened'; readonly isBuilding: boolean; readonly places: readonly AppliedPlace[] }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'judged'; readonly verdicts: PackedVerdicts; readonly halts: readonly Halt[]; readonly places: readonly AppliedPlace[]; readonly unknownTypes: number }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'caughtUp' }
  | { readonly kind: 'closed' };
