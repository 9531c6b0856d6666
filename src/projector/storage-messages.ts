import type { PackedBatch } from './packed-batch.ts';

/** Messages to the storage thread. Each `append` and `end` is answered, in order. */
export type ToStorage =
  | { readonly kind: 'append'; readonly packed: PackedBatch }
  | { readonly kind: 'end' }
  | { readonly kind: 'close' };

/** Messages from the storage thread. `applied`: the position that the projections hold. */
export type FromStorage =
  | { readonly kind: 'opened'; readonly end: number; readonly applied: number }
  | { readonly kind: 'ready'; readonly end: number; readonly applied: number }
  | { readonly kind: 'appended'; readonly positions: readonly number[]; readonly applied: number; readonly end: number }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'end'; readonly end: number; readonly applied: number }
  | { readonly kind: 'lagging'; readonly applied: number; readonly end: number; readonly message: string }
  | { readonly kind: 'caughtUp'; readonly applied: number; readonly end: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'closed' };
