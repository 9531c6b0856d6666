import type { Lane } from '../faults/plan-faults.ts';
import type { Victim } from '../faults/victim.ts';
import type { ChaosNode } from './chaos-node.ts';

/** What a run is made on: nodes, what they stand on, and what may be done to both. */
export interface Deployment {
  readonly nodes: readonly ChaosNode[];
  /** The folder of the images that all nodes share. */
  readonly storeFolder: string;
  /** The folder that images are exported to. */
  readonly exportsFolder: string;
  readonly victims: ReadonlyMap<string, Victim>;
  readonly lanes: readonly Lane[];
  /** A node with an empty data folder, not started; undefined where there can be but one. */
  readonly makeNewcomer: () => ChaosNode | undefined;
  /** Kills everything. */
  readonly stop: () => Promise<void>;
}
