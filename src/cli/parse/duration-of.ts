import type { Duration } from '../../gen/google/protobuf/duration.ts';

/** A duration as the API takes it; none stays none. */
export function durationOf(durationMs: number | undefined): Duration | undefined {
  if (durationMs === undefined) return undefined;
  return { seconds: BigInt(Math.floor(durationMs / 1_000)), nanos: (durationMs % 1_000) * 1_000_000 };
}
