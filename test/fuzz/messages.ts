import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import type { Round, RoundSettings } from './round.ts';

/** What a thread begins with: the settings, and a place where it says which seed it is at, for when it can say nothing else. */
export interface LaneData extends RoundSettings {
  readonly atSeed: Int32Array<SharedArrayBuffer>;
}

/** Seeds to run, one after the other from `from` on. `keepsBytes`: the altered images are wanted. */
export interface LaneRequest {
  readonly from: number;
  readonly count: number;
  readonly keepsBytes: boolean;
}

/** A round as it comes out of a thread. */
export type RoundReport = Omit<Round, 'bytes'> & { readonly bytes?: Uint8Array };

/** How many seeds of one format had one outcome. */
export interface OutcomeCount {
  readonly format: DiskFormat;
  readonly outcome: string;
  readonly count: number;
}

/** What came of the seeds: every outcome counted, and the rounds that are worth telling. */
export interface LaneReply {
  readonly rounds: readonly RoundReport[];
  readonly outcomes: readonly OutcomeCount[];
}
