import type { MapEntry } from '../lists/filter-condition.ts';
import type { Watcher } from './watcher.ts';

/**
 * Open watches, found by the labels of a task: a watch whose filter asks for one label is none of the others' business, and a task's
 * labels never change. So a thousand watches, each of a label of its own, cost a change no more than one.
 */
export class WatcherIndex {
  readonly #all = new Set<Watcher>();
  readonly #unlabelled = new Set<Watcher>();
  readonly #byLabel = new Map<string, Set<Watcher>>();

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<Watcher> {
    return this.#all.values();
  }

  /** `label`: what every task that the watch wants has; undefined: there is none. */
  add(watcher: Watcher, label: MapEntry | undefined): void {
    this.#all.add(watcher);
    if (label === undefined) this.#unlabelled.add(watcher);
    else this.#with(label).add(watcher);
  }

  delete(watcher: Watcher, label: MapEntry | undefined): void {
    this.#all.delete(watcher);
    this.#unlabelled.delete(watcher);
    if (label === undefined) return;
    const others = this.#with(label);
    others.delete(watcher);
    if (others.size === 0) this.#byLabel.delete(nameOf(label));
  }

  /** All watches that may want a task with these labels. */
  *candidates(labels: Readonly<Record<string, string>>): Generator<Watcher> {
    yield* this.#unlabelled;
    if (this.#byLabel.size === 0) return;
    for (const [key, value] of Object.entries(labels)) yield* this.#byLabel.get(nameOf({ key, value })) ?? [];
  }

  #with(label: MapEntry): Set<Watcher> {
    const name = nameOf(label);
    const known = this.#byLabel.get(name) ?? new Set<Watcher>();
    this.#byLabel.set(name, known);
    return known;
  }
}

/** A key of a label has no "=". */
function nameOf({ key, value }: MapEntry): string {
  return `${key}=${value}`;
}
