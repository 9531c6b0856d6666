/**
 * What is done to a victim until it is healed. `kill`: SIGKILL, and a new start. `stop`: SIGTERM, and a new start. `pause`: SIGSTOP,
 * and SIGCONT. `empty`: killed, and all that it stored is gone. `cut`: connections break and new ones are refused. `hang`:
 * connections stay and carry nothing.
 */
export type Harm = 'kill' | 'stop' | 'pause' | 'empty' | 'cut' | 'hang';

/** Something that faults happen to. */
export interface Victim {
  readonly name: string;
  /** Resolves when the harm is done. */
  strike(harm: Harm): Promise<void>;
  /** Undoes it; resolves when the victim may be struck again. */
  heal(harm: Harm): Promise<void>;
}
