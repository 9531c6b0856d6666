import type { Clock } from '../domain/clock.ts';
import type { Heartbeat, Heartbeats } from './heartbeats.ts';
import { parseIncarnation, type NodeLife } from './incarnation.ts';
import type { NodeIdentity } from './node-identity.ts';

/** A node says so often that it lives. */
export const heartbeatEveryMs = 2_000;

/** An incarnation that was not heard for so long is dead (design rule 8). */
export const silenceLimitMs = 8_000;

/**
 * A node that did not hear itself for so long judges nobody. With one interval between heartbeats this stays below
 * `silenceLimitMs`: a node that was stopped, or cut off, wakes up knowing that it was away before anybody seems dead to it.
 */
export const ownSilenceLimitMs = 5_000;

/** Incarnations that are remembered; of more, those that were not heard for longest are forgotten. Far more than a cluster has nodes. */
export const knownLimit = 1_000;

/** An incarnation that has been silent for so long is forgotten. Should it be asked for again, its silence counts from then on. */
export const forgetAfterMs = 3_600_000;

/** Why an incarnation is dead: it said goodbye, a newer one of its node lives, or it was silent for `silenceLimitMs`. */
export type DeathReason = 'stopped' | 'restarted' | 'silent';

/** An incarnation that has become dead. */
export interface Death {
  readonly incarnation: string;
  readonly reason: DeathReason;
}

/** What is known of one incarnation of another node, or of an earlier one of this node. */
interface Known {
  readonly life: NodeLife | undefined;
  /** When it was heard last; where it never was, when it was first asked for: it may have been born a moment ago. */
  silentSinceMs: number;
  wasHeard: boolean;
  saidGoodbye: boolean;
  /** Its death was told to the listeners. */
  isTold: boolean;
}

/** What a judge of the living works with. */
export interface LivenessDeps {
  readonly heartbeats: Heartbeats;
  readonly clock: Clock;
  readonly self: NodeIdentity;
}

/**
 * Tells others that this node lives, and judges which of them are dead, by design rule 8: an incarnation is dead when it said
 * goodbye, when a newer one of its node lives, or when it was silent for `silenceLimitMs` of this node's monotonic clock.
 * Silence counts only while this node hears itself: after a gap every count starts anew, so that a node which was stopped, or
 * whose NATS was away, cannot take the living for dead. Of an incarnation that was never heard the silence counts from when it
 * was first asked for: the log may bring the first attempt of a new node before NATS brings its first heartbeat. A wrong
 * judgement costs an attempt; the log's rule keeps it harmless.
 */
export class Liveness {
  readonly #heartbeats: Heartbeats;
  readonly #clock: Clock;
  readonly #self: NodeIdentity;
  /** By incarnation, those that were heard last at the end. */
  readonly #known = new Map<string, Known>();
  readonly #listeners = new Set<(deaths: readonly Death[]) => void>();
  #ownHeardMs = -Infinity;
  #hearingSinceMs = Infinity;
  #stopListening: (() => void) | undefined;
  #cancelBeat: (() => void) | undefined;

  constructor({ heartbeats, clock, self }: LivenessDeps) {
    this.#heartbeats = heartbeats;
    this.#clock = clock;
    this.#self = self;
  }

  /** Begins to beat and to listen. */
  start(): void {
    this.#stopListening = this.#heartbeats.listen((heartbeat) => { this.#onHeartbeat(heartbeat); });
    this.#beat();
  }

  /** Says goodbye and beats no more. Call it when no attempt of this node runs any more: others take over at once. */
  stop(): void {
    if (this.#stopListening === undefined) return;
    this.#cancelBeat?.();
    this.#stopListening();
    this.#stopListening = undefined;
    this.#heartbeats.beat({ ...this.#self, leaving: true });
  }

  /** Whether the attempts of `incarnation` may be taken over. Its own incarnation is never dead to a node. */
  isDead(incarnation: string): boolean {
    if (incarnation === this.#self.incarnation) return false;
    const known = this.#known.get(incarnation) ?? this.#meet(incarnation, parseIncarnation(incarnation));
    return this.#isHearing() && this.#deathOf(known) !== undefined;
  }

  /**
   * Adds a listener, called with what has died, at each heartbeat of this node that it hears; must
   * not throw. After a gap in the hearing those that are still dead are told again. The function that it returns removes it.
   */
  onDeath(listener: (deaths: readonly Death[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #beat(): void {
    this.#heartbeats.beat({ ...this.#self, leaving: false });
    this.#cancelBeat = this.#clock.schedule(heartbeatEveryMs, () => { this.#beat(); });
  }

  #onHeartbeat({ incarnation, node, generation, leaving }: Heartbeat): void {
    const nowMs = this.#clock.monotonicMs();
    if (incarnation === this.#self.incarnation) {
      this.#onOwnHeartbeat(nowMs);
      return;
    }
    const known = this.#known.get(incarnation) ?? this.#meet(incarnation, { node, generation });
    this.#known.delete(incarnation);
    this.#known.set(incarnation, known);
    // A heartbeat that comes after the goodbye was sent before it.
    if (known.saidGoodbye) return;
    known.silentSinceMs = nowMs;
    known.wasHeard = true;
    known.isTold = false;
    known.saidGoodbye = leaving;
    if (leaving) this.#tellDeaths(nowMs);
  }

  #onOwnHeartbeat(nowMs: number): void {
    if (!this.#isHearing()) {
      this.#hearingSinceMs = nowMs;
      for (const known of this.#known.values()) known.isTold = false;
    }
    this.#ownHeardMs = nowMs;
    this.#tellDeaths(nowMs);
  }

  #tellDeaths(nowMs: number): void {
    if (!this.#isHearing()) return;
    const deaths: Death[] = [];
    for (const [incarnation, known] of this.#known) {
      const reason = this.#deathOf(known);
      if (reason === undefined) continue;
      if (!known.isTold) deaths.push({ incarnation, reason });
      known.isTold = true;
      if (nowMs - known.silentSinceMs > forgetAfterMs) this.#known.delete(incarnation);
    }
    if (deaths.length === 0) return;
    for (const listener of this.#listeners) listener(deaths);
  }

  #deathOf(known: Known): DeathReason | undefined {
    if (known.saidGoodbye) return 'stopped';
    if (this.#isReplaced(known)) return 'restarted';
    return this.#isSilent(known) ? 'silent' : undefined;
  }

  #isSilent({ silentSinceMs }: Known): boolean {
    return this.#clock.monotonicMs() - Math.max(silentSinceMs, this.#hearingSinceMs) >= silenceLimitMs;
  }

  #isReplaced({ life }: Known): boolean {
    if (life === undefined) return false;
    if (life.node === this.#self.node) return life.generation < this.#self.generation;
    for (const other of this.#known.values()) {
      const isNewer = other.life?.node === life.node && other.life.generation > life.generation;
      if (isNewer && other.wasHeard && !other.saidGoodbye && !this.#isSilent(other)) return true;
    }
    return false;
  }

  #isHearing(): boolean {
    return this.#clock.monotonicMs() - this.#ownHeardMs < ownSilenceLimitMs;
  }

  /** Begins to remember an incarnation, and forgets the one that was not heard for longest where there are too many. */
  #meet(incarnation: string, life: NodeLife | undefined): Known {
    const known = { life, silentSinceMs: this.#clock.monotonicMs(), wasHeard: false, saidGoodbye: false, isTold: false };
    this.#known.set(incarnation, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > knownLimit && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}
