import { failure, FailureError } from '../../src/domain/failures.ts';
import { destinationExists } from '../../src/destinations/delivery-failures.ts';
import type { Artefact, Delivered, Delivery, DestinationRequest, Destinations } from '../../src/destinations/destination.ts';
import type { Life } from './life.ts';
import type { SimDisk } from './sim-disk.ts';
import type { World } from './world.ts';

/** A destination that makes an object in one step, if none is there, with faults and deaths around it. */
export class SimDestinations implements Destinations {
  readonly #world: World;
  readonly #life: Life;
  readonly #disk: SimDisk;

  constructor(world: World, life: Life, disk: SimDisk) {
    this.#world = world;
    this.#life = life;
    this.#disk = disk;
  }

  async deliver({ uri }: DestinationRequest, { digest, sizeBytes }: Artefact, { ours, signal, progress }: Delivery): Promise<Delivered> {
    const lying = await this.#step(`looks at ${uri}`, () => this.#disk.exported.get(uri));
    const found = (there: string): Delivered => {
      if (!ours.some((own) => own.digest === there)) throw destinationExists(uri);
      this.#world.count('export found what it had delivered');
      return { location: uri, digest: there, sizeBytes, verified: true, existed: true };
    };
    if (lying !== undefined) return found(lying);
    for (let part = 1; part <= 4; part += 1) {
      await this.#life.wait(this.#world.random.delayMs(200), signal);
      if (this.#world.strikes(this.#world.plan.sourceFaultShare)) throw new FailureError(failure('DESTINATION_UNREACHABLE', 'broke off'));
      progress((part * sizeBytes) / 4, sizeBytes);
    }
    const there = await this.#step(`makes ${uri}`, () => {
      const other = this.#disk.exported.get(uri);
      if (other !== undefined) return other;
      this.#disk.exported.set(uri, digest);
      this.#disk.onExported(uri);
      return undefined;
    });
    return there === undefined ? { location: uri, digest, sizeBytes, verified: true } : found(there);
  }

  async withdraw({ uri }: DestinationRequest, { digest }: Delivered): Promise<boolean> {
    return this.#step(`withdraws ${uri}`, () => {
      this.#world.count('export withdrawn');
      return this.#disk.exported.get(uri) === digest ? this.#disk.exported.delete(uri) : true;
    });
  }

  async removeLeftovers(): Promise<void> {
    // An object is made in one step.
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #step<T>(what: string, effect: () => T): Promise<T> {
    return this.#life.call(what, effect, { risk: 6, typicalMs: 20 });
  }
}
