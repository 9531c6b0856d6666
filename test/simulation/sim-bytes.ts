import type { BytesPool } from '../../src/bytes/bytes-pool.ts';
import type { Sink, SinkTarget } from '../../src/bytes/sink.ts';
import { failure, FailureError } from '../../src/domain/failures.ts';
import type { Verdict } from '../../src/formats/verdict.ts';
import { RangesUnsupportedError } from '../../src/sources/source.ts';
import type { Receiver, SourceRequest, Sources } from '../../src/sources/source.ts';
import { storeFailure } from '../../src/stores/store-failure.ts';
import type { Life } from './life.ts';
import type { SourceFate } from './plan.ts';
import type { SimDisk } from './sim-disk.ts';
import type { World } from './world.ts';

/** What every image of a simulation weighs. */
export const imageBytes = 4 * 512;


function fateOf(sourceUri: string): SourceFate {
  return sourceUri.split('/')[3] as SourceFate;
}

/** Sources whose content comes in a few chunks, or stalls, breaks off, or is not there. */
export class SimSources implements Sources {
  readonly #world: World;
  readonly #life: Life;

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  async read({ uri }: SourceRequest, receiver: Receiver, signal: AbortSignal): Promise<void> {
    const { random, plan } = this.#world;
    const fate = fateOf(uri);
    await this.#life.wait(random.delayMs(50), signal);
    if (fate === 'missing') throw new FailureError(failure('SOURCE_NOT_FOUND', 'answered 404'));
    if (fate === 'unreachable') throw new FailureError(failure('SOURCE_UNREACHABLE', 'refused the connection'));
    receiver.begin({ offsetBytes: 0, sizeBytes: imageBytes, facts: { host: 'source.example' } });
    for (let chunk = 0; chunk < 4; chunk += 1) {
      if (this.#world.strikes(plan.sourceFaultShare)) throw new FailureError(failure('SOURCE_TRUNCATED', 'broke off'));
      if (this.#world.strikes(plan.sourceFaultShare / 4)) {
        this.#world.count('stalled source');
        await this.#life.wait(2 * plan.stageTimeoutMs, signal);
      }
      if (this.#world.strikes(plan.sourceFaultShare / 10)) {
        this.#world.count('stage that does not listen');
        await this.#life.wait(plan.stageTimeoutMs + random.between(0, 120_000), new AbortController().signal);
      }
      await this.#life.wait(random.delayMs(random.pick([20, 300])), signal);
      await receiver.receive(Buffer.alloc(512, uri));
    }
  }

  async openRanges({ uri }: SourceRequest): Promise<never> {
    throw new RangesUnsupportedError(uri);
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}

/** A transfer into a staged file, in order as in a thread of the pool. */
class SimSink implements Pick<Sink, 'write' | 'finish' | 'abort'> {
  readonly #world: World;
  readonly #life: Life;
  readonly #disk: SimDisk;
  readonly #target: SinkTarget;
  readonly #file: string;
  #last: Promise<unknown>;
  #failed: Error | undefined;

  constructor(world: World, life: Life, disk: SimDisk, target: SinkTarget) {
    this.#world = world;
    this.#life = life;
    this.#disk = disk;
    this.#target = target;
    this.#file = target.name.slice('staging/'.length);
    this.#last = this.#step('creates', () => {
      if (disk.staged.has(this.#file)) world.violate('a staged file has one writer', this.#file);
      disk.staged.set(this.#file, false);
    }).catch((cause: unknown) => { this.#fail(cause as Error); });
  }

  write(): Promise<void> | undefined {
    if (this.#failed !== undefined) throw this.#failed;
    return this.#world.random.chance(0.3) ? this.#last.then(() => undefined) : undefined;
  }

  async finish(): Promise<{ sizeBytes: number; digest: string; verdict?: never }> {
    await this.#last;
    if (this.#failed !== undefined) throw this.#failed;
    await this.#step('syncs', () => {
      // Another node may have discarded it meanwhile: the writer does not notice.
      if (this.#disk.staged.has(this.#file)) this.#disk.staged.set(this.#file, true);
    });
    return { sizeBytes: imageBytes, digest: `sha256:${'ab'.repeat(32)}` };
  }

  async abort(): Promise<void> {
    await this.#last;
    await this.#step('removes', () => this.#disk.staged.delete(this.#file)).catch(() => undefined);
  }

  #fail(cause: Error): void {
    this.#failed = cause;
    this.#target.onFailure(cause);
  }

  #step(what: string, effect: () => void): Promise<void> {
    return this.#life.call(`${what} ${this.#target.name}`, () => {
      if (this.#world.strikes(this.#world.plan.storeFaultShare)) {
        throw new FailureError(storeFailure(Object.assign(new Error('full'), { code: 'ENOSPC' }), this.#target.name, 0));
      }
      effect();
    }, { risk: 3, typicalMs: 5 });
  }
}

/** The pool as the stages of one node see it. `sourceOf` finds the source of a task. */
export function simPool(world: World, life: Life, disk: SimDisk, sourceOf: (taskId: string) => string): BytesPool {
  const pool: Pick<BytesPool, 'openSink' | 'inspect'> = {
    openSink: (target) => new SimSink(world, life, disk, target) as Partial<Sink> as Sink,
    inspect: ({ name }): Promise<Verdict> => life.call(`inspects ${name}`, (): Verdict => {
      const file = name.slice('staging/'.length);
      const uri = sourceOf(file.slice(0, file.indexOf('.')));
      if (!disk.staged.has(file)) throw new FailureError(storeFailure(Object.assign(new Error('gone'), { code: 'ENOENT' }), name, 0));
      return fateOf(uri) === 'no-image'
        ? { kind: 'refused', failure: failure('NOT_A_DISK_IMAGE', 'It is a JPEG.') }
        : { kind: 'accepted', format: 'DISK_FORMAT_RAW', virtualSizeBytes: BigInt(imageBytes), warnings: [], facts: {}, guestDigest: '' };
    }, { risk: 3, typicalMs: 30 }),
  };
  return pool as BytesPool;
}
