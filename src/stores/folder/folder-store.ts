import { constants } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FailureError } from '../../domain/failures.ts';
import { hasCode } from '../has-code.ts';
import type { ImageStore, OpenedImage, StagedFileName, StagedNote, StagedPart } from '../image-store.ts';
import { storeFailure } from '../store-failure.ts';
import { CoalescedSync } from './coalesced-sync.ts';
import { attemptOfStagedFile, isStoredFileName, isTaskId, noteFileNames, stagedFileName, storedFileName, taskOfStagedFile } from './file-names.ts';
import { openStoredFile } from './open-stored-file.ts';

/**
 * An image store in a local folder, on one file system: `staging/<task>.<attempt>` and `images/<id>.<attempt>`. Opening
 * makes the two folders. A file is put in place by a hard link, which unlike a rename fails where something is already.
 * There is no folder per task: on ext4, with its journal busy with flushes, making one took nearly half of the time that a
 * pool thread spends on a small image.
 */
export class FolderStore implements ImageStore {
  readonly #root: string;
  readonly #images: string;
  readonly #staging: string;
  readonly #imagesSync: CoalescedSync;
  readonly #imagesFolder: FileHandle;

  private constructor(root: string, imagesFolder: FileHandle) {
    this.#root = root;
    this.#images = join(root, 'images');
    this.#staging = join(root, 'staging');
    this.#imagesFolder = imagesFolder;
    this.#imagesSync = new CoalescedSync(() => imagesFolder.sync());
  }

  /** Opens the store in `root`, an absolute path. */
  static async open(root: string): Promise<FolderStore> {
    return fromStore('images', async () => {
      const images = join(root, 'images');
      await mkdir(images, { recursive: true, mode: 0o700 });
      await mkdir(join(root, 'staging'), { recursive: true, mode: 0o700 });
      await syncFolder(root);
      await syncFolder(dirname(root));
      return new FolderStore(root, await open(images, constants.O_RDONLY | constants.O_DIRECTORY));
    });
  }

  stagedFile(taskId: string, attempt: number, part: StagedPart): StagedFileName {
    const name = `staging/${stagedFileName(taskId, attempt, part)}`;
    return { path: join(this.#root, name), name };
  }

  async discardPart(taskId: string, attempt: number, part: StagedPart): Promise<void> {
    const { path, name } = this.stagedFile(taskId, attempt, part);
    const { note, next } = noteFileNames(taskId, attempt);
    const paths = part === 'fetched' ? [path, join(this.#staging, note), join(this.#staging, next)] : [path];
    await fromStore(name, () => Promise.all(paths.map((each) => rm(each, { force: true }))));
  }

  async openPart(taskId: string, attempt: number, part: StagedPart): Promise<OpenedImage | undefined> {
    const { path, name } = this.stagedFile(taskId, attempt, part);
    return fromStore(name, () => openStoredFile(path));
  }

  async writeNote(taskId: string, attempt: number, text: string): Promise<void> {
    const { note, next } = noteFileNames(taskId, attempt);
    await fromStore(`staging/${note}`, async () => {
      await writeFile(join(this.#staging, next), text, { mode: 0o600 });
      await rename(join(this.#staging, next), join(this.#staging, note));
    });
  }

  async readNotes(taskId: string, attempt: number): Promise<readonly StagedNote[]> {
    return fromStore('staging', async () => {
      const isNote = (file: string): boolean => file === noteFileNames(taskId, attemptOfStagedFile(file)).note;
      const notes = (await this.#stagedBefore(taskId, attempt)).filter(isNote);
      return Promise.all(notes.map(async (file) => {
        const text = await readFile(join(this.#staging, file), 'utf8');
        return { attempt: attemptOfStagedFile(file), text };
      }));
    });
  }

  async discardEarlier(taskId: string, attempt: number, kept: readonly number[] = []): Promise<void> {
    await fromStore('staging', async () => {
      const earlier = (await this.#stagedBefore(taskId, attempt)).filter((file) => !kept.includes(attemptOfStagedFile(file)));
      await Promise.all(earlier.map((file) => rm(join(this.#staging, file), { force: true })));
    });
  }

  async borrow(file: string, taskId: string, attempt: number): Promise<boolean> {
    const path = this.#storedPath(file);
    const part = this.stagedFile(taskId, attempt, 'borrowed');
    return fromStore(part.name, async () => {
      try {
        await link(path, part.path);
        return true;
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return false;
        if (hasCode(error, 'EEXIST')) return true;
        throw error;
      }
    });
  }

  async publish(taskId: string, attempt: number, part: StagedPart): Promise<string> {
    const file = storedFileName(taskId, attempt);
    const staged = this.stagedFile(taskId, attempt, part);
    const placed = join(this.#images, file);
    await fromStore(`images/${file}`, () => link(staged.path, placed));
    const durable = this.#imagesSync.sync();
    // What stays of the staging after this is found by listStaging.
    const { note } = noteFileNames(taskId, attempt);
    const cleared = Promise.allSettled([unlink(staged.path), unlink(join(this.#staging, note))]);
    try {
      await durable;
    } catch (error) {
      await unlink(placed).catch(() => undefined);
      throw new FailureError(storeFailure(error, `images/${file}`, 0), { cause: error });
    } finally {
      await cleared;
    }
    return file;
  }

  async close(): Promise<void> {
    await this.#imagesFolder.close();
  }

  async remove(file: string): Promise<void> {
    const path = this.#storedPath(file);
    await fromStore(`images/${file}`, async () => {
      await rm(path, { force: true });
      await this.#imagesSync.sync();
    });
  }

  async discardStaging(taskId: string): Promise<void> {
    if (!isTaskId(taskId)) throw new RangeError('A task is named by a lower-case UUID.');
    await fromStore('staging', async () => {
      const files = (await readdir(this.#staging)).filter((file) => taskOfStagedFile(file) === taskId);
      await Promise.all(files.map((file) => rm(join(this.#staging, file), { force: true })));
    });
  }

  async listStaging(): Promise<readonly string[]> {
    const files = await fromStore('staging', () => readdir(this.#staging));
    return [...new Set(files.map(taskOfStagedFile).filter((taskId) => taskId !== undefined))];
  }

  async listFiles(): Promise<readonly string[]> {
    return (await fromStore('images', () => readdir(this.#images))).filter(isStoredFileName);
  }

  async openForRead(file: string): Promise<OpenedImage | undefined> {
    const path = this.#storedPath(file);
    return fromStore(`images/${file}`, () => openStoredFile(path));
  }

  async #stagedBefore(taskId: string, attempt: number): Promise<readonly string[]> {
    if (!isTaskId(taskId)) throw new RangeError('A task is named by a lower-case UUID.');
    return (await readdir(this.#staging)).filter((file) => taskOfStagedFile(file) === taskId && attemptOfStagedFile(file) < attempt);
  }

  #storedPath(file: string): string {
    if (!isStoredFileName(file)) throw new RangeError('A stored file is named <uuid>.<attempt>.');
    return join(this.#images, file);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function fromStore<T>(name: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw new FailureError(storeFailure(error, name, 0), { cause: error });
  }
}
