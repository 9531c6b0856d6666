import type { Random } from './random.ts';

/** What becomes of the source of a task, whoever reads it. */
export type SourceFate = 'good' | 'missing' | 'unreachable' | 'no-image';

/** One task of a simulation, and what its owner does with it. */
export interface PlannedTask {
  readonly requestId: string;
  readonly source:
    | { readonly kind: 'import'; readonly uri: string; readonly fate: SourceFate }
    /** Of the image that the task of another request makes, if it makes one, and in time. */
    | { readonly kind: 'clone'; readonly ofRequestId: string }
    /** Of that image, to an address of its own. */
    | { readonly kind: 'export'; readonly ofRequestId: string; readonly uri: string };
  readonly ttlMs: number;
  readonly createAtMs: number;
  /** When the same request is sent again; and once more with other content under the same request id. */
  readonly repeatAtMs: number | undefined;
  readonly reuseAtMs: number | undefined;
  readonly cancelAtMs: number | undefined;
  /** The task is canceled within moments of its first such event: close to the point of no return, on both sides. */
  readonly cancelAfter: 'attemptStarted' | 'stageCompleted' | 'imageStored' | undefined;
  /** The image is deleted so long after the task was seen to succeed. */
  readonly deleteAfterMs: number | undefined;
}

/** What one seed means: how many nodes and tasks, and which faults, how often. Some seeds lack some faults altogether. */
export interface Plan {
  readonly nodes: number;
  readonly partitions: number;
  readonly tasks: readonly PlannedTask[];
  /** After this nothing goes wrong any more. */
  readonly faultsEndMs: number;
  /** Probability that a call to a port crashes the node before or after its effect; risky calls take it several times. */
  readonly crashShare: number;
  /** Probability that an append ends `unknown`: lost, landed all the same, or landing later. */
  readonly unknownShare: number;
  /** Probability that a copy of a record arrives again, later. */
  readonly doubledShare: number;
  readonly lostJobShare: number;
  readonly doubledJobShare: number;
  /** Probability that a heartbeat does not get to one of its listeners. */
  readonly lostHeartbeatShare: number;
  readonly storeFaultShare: number;
  readonly sourceFaultShare: number;
  /** How many times each of these happens while faults last. */
  readonly outages: number;
  readonly pauses: number;
  readonly deafenings: number;
  readonly clockSteps: number;
  readonly shutdowns: number;
  readonly strangers: number;
  /** Sweeps of the store at any time, beside those at the start of a node. */
  readonly sweeps: number;
  /** Probability that a node pauses just when a stage of one of its attempts was accepted, and wakes as a zombie. */
  readonly zombieShare: number;
  /** How long the projections of a node typically take to see what was accepted. */
  readonly lagMs: number;
  readonly stageTimeoutMs: number;
  readonly attemptLimit: number;
  readonly transfers: number;
}

/** The plan of a seed, drawn from its random numbers. */
export function makePlan(random: Random): Plan {
  const nodes = random.pick([1, 1, 2, 2, 3]);
  const faultsEndMs = random.between(20_000, 180_000);
  const sometimes = (share: number): number => (random.chance(0.35) ? 0 : share);
  const count = random.chance(0.9) ? random.between(5, 10) : random.between(10, 40);
  const imports = Array.from({ length: count }, (_, index) => planImport(index, faultsEndMs, random));
  const clones = Array.from({ length: random.between(0, 5) }, (_, index) => planClone(count + index, random.pick(imports), random));
  const firstExport = count + clones.length;
  const exports = Array.from({ length: random.between(0, 5) }, (_, index) => planExport(firstExport + index, random.pick(imports), random));
  return {
    nodes,
    partitions: nodes === 1 ? 1 : random.pick([1, 3]),
    tasks: [...imports, ...clones, ...exports],
    faultsEndMs,
    crashShare: sometimes(random.pick([0.000_5, 0.001, 0.003])),
    unknownShare: sometimes(random.pick([0.01, 0.05])),
    doubledShare: sometimes(0.1),
    lostJobShare: nodes === 1 ? 0 : sometimes(0.2),
    doubledJobShare: sometimes(0.2),
    lostHeartbeatShare: nodes === 1 ? 0 : sometimes(random.pick([0.05, 0.3])),
    storeFaultShare: sometimes(0.02),
    sourceFaultShare: random.pick([0.02, 0.1]),
    outages: sometimes(random.between(0, 2)),
    pauses: nodes === 1 ? 0 : sometimes(random.between(0, 4)),
    deafenings: nodes === 1 ? 0 : sometimes(random.between(0, 4)),
    clockSteps: sometimes(random.between(0, 4)),
    shutdowns: sometimes(random.between(0, 2)),
    zombieShare: nodes === 1 ? 0 : sometimes(0.1),
    strangers: random.between(0, 4),
    sweeps: sometimes(random.between(0, 12)),
    lagMs: random.pick(nodes === 1 ? [1, 5, 200] : [1, 5, 200, 1_000]),
    stageTimeoutMs: random.pick([10_000, 30_000]),
    attemptLimit: random.between(3, 6),
    transfers: random.pick([1, 2, 4, 64]),
  };
}

function planImport(index: number, faultsEndMs: number, random: Random): PlannedTask {
  const fate = random.chance(0.75) ? 'good' : random.pick(['missing', 'unreachable', 'no-image'] as const);
  const source = { kind: 'import', uri: `https://source.example/${fate}/${index}`, fate } as const;
  return planTask(index, random.between(0, faultsEndMs), source, random);
}

/** A clone that is asked for about when the image that it is to be of comes into being. */
function planClone(index: number, original: PlannedTask, random: Random): PlannedTask {
  return planTask(index, aboutWhenMade(original, random), { kind: 'clone', ofRequestId: original.requestId }, random);
}

function planExport(index: number, original: PlannedTask, random: Random): PlannedTask {
  const source = { kind: 'export', ofRequestId: original.requestId, uri: `file:///exports/${index}` } as const;
  return planTask(index, aboutWhenMade(original, random), source, random);
}

function aboutWhenMade({ createAtMs }: PlannedTask, random: Random): number {
  return createAtMs + random.between(0, random.pick([3_000, 15_000, 60_000]));
}

function planTask(index: number, createAtMs: number, source: PlannedTask['source'], random: Random): PlannedTask {
  const optionally = (share: number, most: number): number | undefined => (random.chance(share) ? random.between(0, most) : undefined);
  const repeat = optionally(0.3, 60_000);
  const reuse = optionally(0.1, 60_000);
  const cancel = optionally(0.3, random.pick([500, 5_000, 60_000]));
  return {
    requestId: `request-${index}`,
    source,
    ttlMs: random.pick([0, 1_000, 30_000, 300_000]),
    createAtMs,
    repeatAtMs: repeat === undefined ? undefined : createAtMs + repeat,
    reuseAtMs: reuse === undefined ? undefined : createAtMs + reuse,
    cancelAtMs: cancel === undefined ? undefined : createAtMs + cancel,
    cancelAfter: random.chance(0.25) ? random.pick(['attemptStarted', 'stageCompleted', 'stageCompleted', 'imageStored'] as const) : undefined,
    deleteAfterMs: optionally(0.2, 10_000),
  };
}
