import { FailureError } from '../../src/domain/failures.ts';
import type { ImageStore, OpenedImage, StagedNote, StagedPart } from '../../src/stores/image-store.ts';
import { storeFailure } from '../../src/stores/store-failure.ts';
import { attemptOfStagedFile, isStoredFileName, isTaskId, stagedFileName, storedFileName, taskOfStagedFile } from '../../src/stores/folder/file-names.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

/** The files of the image store, which all nodes share. */
export class SimDisk {
  /** By `<task>.<attempt>`: whether the file is complete and synced. */
  readonly staged = new Map<string, boolean>();
  readonly images = new Map<string, boolean>();
  /** What lies at the destinations of exports, by address: its digest. */
  readonly exported = new Map<string, string>();
  /** An object was made at this address. */
  onExported: (uri: string) => void = () => undefined;
}

function systemError(code: string, name: string): FailureError {
  return new FailureError(storeFailure(Object.assign(new Error(code), { code }), name, 0));
}

/** The store as one node sees it: what `FolderStore` does, step by step, with faults between the steps. */
export class SimStore implements ImageStore {
  readonly #world: World;
  readonly #life: Life;
  readonly #disk: SimDisk;

  constructor(world: World, life: Life, disk: SimDisk) {
    this.#world = world;
    this.#life = life;
    this.#disk = disk;
  }

  stagedFile(taskId: string, attempt: number, part: StagedPart): { path: string; name: string } {
    const name = `staging/${stagedFileName(taskId, attempt, part)}`;
    return { path: `/${name}`, name };
  }

  async discardPart(taskId: string, attempt: number, part: StagedPart): Promise<void> {
    const file = stagedFileName(taskId, attempt, part);
    await this.#step(`discards staging/${file}`, `staging/${file}`, () => this.#disk.staged.delete(file));
  }

  openPart(): Promise<OpenedImage | undefined> {
    throw new Error('nothing of the simulation goes on with an earlier file');
  }

  async writeNote(): Promise<void> {
    throw new Error('no source of the simulation can be gone on with');
  }

  readNotes(): Promise<readonly StagedNote[]> {
    return this.#step('lists staging', 'staging', () => []);
  }

  async discardEarlier(taskId: string, attempt: number, kept: readonly number[] = []): Promise<void> {
    const isEarlier = (file: string): boolean =>
      taskOfStagedFile(file) === taskId && attemptOfStagedFile(file) < attempt && !kept.includes(attemptOfStagedFile(file));
    const files = await this.#step('lists staging', 'staging', () => [...this.#disk.staged.keys()].filter(isEarlier));
    await Promise.all(files.map((file) => this.#step(`discards staging/${file}`, `staging/${file}`, () => this.#disk.staged.delete(file))));
  }

  borrow(file: string, taskId: string, attempt: number): Promise<boolean> {
    const part = stagedFileName(taskId, attempt, 'borrowed');
    return this.#step(`links staging/${part}`, `staging/${part}`, () => {
      const complete = this.#disk.images.get(file);
      if (complete !== undefined) this.#disk.staged.set(part, complete);
      return complete !== undefined;
    });
  }

  async publish(taskId: string, attempt: number, part: StagedPart): Promise<string> {
    const file = storedFileName(taskId, attempt);
    const staged = stagedFileName(taskId, attempt, part);
    await this.#step(`links images/${file}`, `images/${file}`, () => {
      const complete = this.#disk.staged.get(staged);
      if (complete === undefined) throw systemError('ENOENT', `images/${file}`);
      if (this.#disk.images.has(file)) throw systemError('EEXIST', `images/${file}`);
      if (!complete) this.#world.violate('only complete files are published', file);
      this.#disk.images.set(file, complete);
    });
    await this.#step(`unlinks staging/${staged}`, `staging/${staged}`, () => this.#disk.staged.delete(staged)).catch(() => undefined);
    return file;
  }

  async remove(file: string): Promise<void> {
    if (!isStoredFileName(file)) throw new RangeError(`no stored file: ${file}`);
    await this.#step(`removes images/${file}`, `images/${file}`, () => {
      if (this.#disk.images.delete(file)) this.#world.count('stored file removed');
    });
  }

  async discardStaging(taskId: string): Promise<void> {
    if (!isTaskId(taskId)) throw new RangeError(`no task: ${taskId}`);
    const files = await this.#step('lists staging', 'staging', () => [...this.#disk.staged.keys()].filter((file) => taskOfStagedFile(file) === taskId));
    await Promise.all(files.map((file) => this.#step(`discards staging/${file}`, `staging/${file}`, () => this.#disk.staged.delete(file))));
  }

  listStaging(): Promise<readonly string[]> {
    return this.#step('lists staging', 'staging', () => [...new Set([...this.#disk.staged.keys()].map((file) => taskOfStagedFile(file) ?? ''))]);
  }

  listFiles(): Promise<readonly string[]> {
    return this.#step('lists images', 'images', () => [...this.#disk.images.keys()]);
  }

  openForRead(): Promise<OpenedImage | undefined> {
    throw new Error('nothing of the simulation reads images');
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  #step<T>(what: string, name: string, effect: () => T): Promise<T> {
    return this.#life.call(what, () => {
      if (this.#world.strikes(this.#world.plan.storeFaultShare)) throw systemError(this.#world.random.pick(['ENOSPC', 'EIO']), name);
      return effect();
    }, { risk: 6, typicalMs: 4 });
  }
}
