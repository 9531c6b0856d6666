import type { Decision, DomainEvent, Payload, RefusalReason } from '../domain/decision.ts';
import { encodeCanonical, hashCanonical } from '../log/canonical.ts';
import { sealRecord } from '../log/envelope.ts';
import { LogUnavailableError, type EventLog } from '../log/event-log.ts';
import { emptyHead, type Head } from '../log/head.ts';
import { startPosition, type Position } from '../log/position.ts';
import { BoundedCache } from '../projector/bounded-cache.ts';
import type { StreamState } from '../domain/fold.ts';
import { ProjectionLaggingError, type ReadSide } from './read-side.ts';

/** One kind of stream: how its subjects are called, and its decider. */
export interface StreamKind<State, Command, P extends Payload> {
  readonly subjectOf: (id: string) => string;
  readonly stateOf: (stream: StreamState | undefined) => State;
  readonly decide: (state: State, command: Command) => Decision<P>;
  readonly evolve: (id: string, state: State, event: DomainEvent<P>) => State;
}

/** What a command came to. `position`: a read that has reached it shows it. */
export type Executed<State, P extends Payload> =
  | { readonly kind: 'appended'; readonly event: DomainEvent<P>; readonly state: State; readonly position: Position }
  | { readonly kind: 'unchanged'; readonly state: State; readonly position: Position }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string; readonly state: State };

/** Nobody knows whether the event landed: the same command again finds out. */
export class AppendUnknownError extends Error {
  override readonly name = 'AppendUnknownError';
}

/** Streams whose state is kept in memory. */
const stateLimit = 1_000;

/** How often a decision is made anew because another event came first. More means that somebody hammers one stream. */
const conflictLimit = 20;

/** How to carry out a command. */
export interface ExecuteOptions {
  /** The id of the record: random, unless every node must write the same record. */
  readonly recordId?: string;
  /** The id was just made up: there is nothing to load. Were there something, the log would say so. */
  readonly isNew?: boolean;
}

/** A command, or how to make it from the state that it is decided on. */
type CommandFor<State, Command> = Command | ((state: State) => Command);

interface Loaded<State> {
  readonly state: State;
  readonly head: Head;
  /** A read that has reached it shows the state. */
  readonly position: Position;
}

/**
 * Carries commands out against the log: decides on the state that this node knows, appends, and decides again when another
 * event came first (optimistic concurrency by the log's rule). A refusal is given only from a state that has reached the
 * log's end as it was after the command came, so a node that lags never refuses wrongly.
 */
export class Streams<State, Command, P extends Payload> {
  readonly #kind: StreamKind<State, Command, P>;
  readonly #log: EventLog;
  readonly #readSide: ReadSide;
  readonly #states = new BoundedCache<string, Loaded<State>>(stateLimit);
  readonly #nothing: Loaded<State>;
  /** The command that is under way on each stream: the next one waits for it. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(kind: StreamKind<State, Command, P>, log: EventLog, readSide: ReadSide) {
    this.#kind = kind;
    this.#nothing = { state: kind.stateOf(undefined), head: emptyHead, position: startPosition };
    this.#log = log;
    this.#readSide = readSide;
  }

  /** The state as this node has it at hand; where several nodes write, it may be older than what the projections hold. */
  peek(id: string): State {
    return this.#load(id).state;
  }

  /** The newest state that this node knows: what it wrote itself, or what its projections hold where they are further. */
  latest(id: string): State {
    const known = this.#states.get(id);
    const folded = this.#fold(id);
    if (known !== undefined && known.head.revision >= folded.head.revision) return known.state;
    this.#states.set(id, folded);
    return folded.state;
  }

  /** Resolves once this node has applied all that was in the log when the call came. Rejects with `ProjectionLaggingError`. */
  async caughtUp(signal?: AbortSignal): Promise<Position> {
    return this.#reachEnd(undefined, signal);
  }

  /**
   * Carries out `command`, which may depend on the state that it is decided on. Rejects with
   * `AppendUnknownError` or `ProjectionLaggingError`.
   */
  async execute(
    id: string, command: CommandFor<State, Command>, options: ExecuteOptions = {}, signal?: AbortSignal,
  ): Promise<Executed<State, P>> {
    const before = this.#busy.get(id);
    const run = before === undefined
      ? this.#execute(id, command, options, signal)
      : before.then(() => this.#execute(id, command, options, signal));
    const settled = run.then(() => undefined, () => undefined);
    this.#busy.set(id, settled);
    try {
      return await run;
    } finally {
      if (this.#busy.get(id) === settled) this.#busy.delete(id);
    }
  }

  async #execute(
    id: string, command: CommandFor<State, Command>, { recordId, isNew }: ExecuteOptions, signal?: AbortSignal,
  ): Promise<Executed<State, P>> {
    let barrier: Position | undefined;
    for (let conflicts = 0; conflicts < conflictLimit;) {
      const { state, head, position } = isNew === true && conflicts === 0 && barrier === undefined ? this.#nothing : this.#load(id);
      const decision = this.#kind.decide(state, typeof command === 'function' ? (command as (state: State) => Command)(state) : command);
      if (decision.kind === 'event') {
        const canonical = encodeCanonical(sealRecord(this.#kind.subjectOf(id), head, decision.event, recordId));
        const outcome = await this.#log.append(canonical, signal);
        switch (outcome.kind) {
          case 'accepted': {
            const next = this.#kind.evolve(id, state, decision.event);
            const newHead = { revision: head.revision + 1n, hash: hashCanonical(canonical) };
            this.#states.set(id, { state: next, head: newHead, position: outcome.position });
            return { kind: 'appended', event: decision.event, state: next, position: outcome.position };
          }
          case 'superseded':
            conflicts += 1;
            barrier = await this.#catchUp(id, signal);
            break;
          case 'unknown':
            this.#states.delete(id);
            throw new AppendUnknownError('It is not known whether the event was stored.', { cause: outcome.cause });
          default:
            outcome satisfies never;
        }
      } else if (barrier === undefined) {
        barrier = await this.#catchUp(id, signal);
      } else if (decision.kind === 'unchanged') {
        // Not the barrier: the state was folded just now and may hold more than that asked for.
        return { kind: 'unchanged', state, position };
      } else {
        return { ...decision, state };
      }
    }
    throw new AppendUnknownError(`Other events came first ${conflictLimit} times in a row.`);
  }

  /** Forgets the state, and waits until this node has applied all that the log now holds of the stream. */
  async #catchUp(id: string, signal?: AbortSignal): Promise<Position> {
    const end = await this.#reachEnd(this.#kind.subjectOf(id), signal);
    this.#states.delete(id);
    return end;
  }

  async #reachEnd(subject: string | undefined, signal?: AbortSignal): Promise<Position> {
    try {
      const end = await this.#log.end(subject);
      await this.#readSide.reached(end, signal);
      return end;
    } catch (cause) {
      if (cause instanceof LogUnavailableError) throw new ProjectionLaggingError(cause.message, { cause });
      throw cause;
    }
  }

  #load(id: string): Loaded<State> {
    const known = this.#states.get(id);
    if (known !== undefined) return known;
    const folded = this.#fold(id);
    this.#states.set(id, folded);
    return folded;
  }

  #fold(id: string): Loaded<State> {
    const { stream, head, position } = this.#readSide.fold(this.#kind.subjectOf(id));
    return { state: this.#kind.stateOf(stream), head, position };
  }
}
