/**
 * Which of an attempt's files: what was fetched, what that was decoded to, what was converted, and a stored image that was
 * borrowed, which is read only.
 */
export type StagedPart = 'fetched' | 'decoded' | 'converted' | 'borrowed';

/** A file that an attempt fills. */
export interface StagedFileName {
  /** Its absolute path. */
  readonly path: string;
  /** The same relative to the store, for messages. */
  readonly name: string;
}

/** What an attempt has noted beside what it fetched. */
export interface StagedNote {
  readonly attempt: number;
  readonly text: string;
}

/** A stored file that is open for reading. Whoever opened it closes it. */
export interface OpenedImage {
  readonly sizeBytes: number;
  /** Reads from `position` into `target` and resolves with the number of bytes; 0: at the end. */
  read(target: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * Where images lie. An attempt fills a staged file of its own; `publish` puts that into its place, `<task>.<attempt>`, which
 * is never overwritten. Ids are lower-case UUIDs and attempts count from 1; anything else is refused before it becomes a
 * path. What fails rejects with FailureError (`STORE_FULL`, `STORE_UNAVAILABLE`).
 */
export interface ImageStore {
  /** A file that this attempt fills. Creates nothing. */
  stagedFile(taskId: string, attempt: number, part: StagedPart): StagedFileName;
  /** Removes a file that this attempt has filled, with the note beside it; removing one that is not there is no error. */
  discardPart(taskId: string, attempt: number, part: StagedPart): Promise<void>;
  /** Opens a file that an attempt has filled, or still fills; undefined where there is none. */
  openPart(taskId: string, attempt: number, part: StagedPart): Promise<OpenedImage | undefined>;
  /**
   * Keeps a short text beside what this attempt fetches, in place of an earlier one, whole or not at all. It is no more durable than a
   * crash of the process asks for: whoever reads it proves what it says.
   */
  writeNote(taskId: string, attempt: number, text: string): Promise<void>;
  /** The texts that attempts before this one have left so. */
  readNotes(taskId: string, attempt: number): Promise<readonly StagedNote[]>;
  /** Removes what attempts before this one have staged, but for some of them. One that still runs, unknowing, may fail of it. */
  discardEarlier(taskId: string, attempt: number, kept?: readonly number[]): Promise<void>;
  /**
   * Makes a stored file a part of this attempt (`borrowed`) that shares its bytes and outlives its removal. False where there is none of
   * this name (any more). Borrowing again is no error.
   */
  borrow(file: string, taskId: string, attempt: number): Promise<boolean>;
  /**
   * Puts a file of the attempt in its place, and removes the note of the attempt; its name there. Resolves when that is durable. Fails if
   * something is there already.
   */
  publish(taskId: string, attempt: number, part: StagedPart): Promise<string>;
  /** Removes a stored file; removing one that is gone is no error. */
  remove(file: string): Promise<void>;
  /** Removes everything that attempts of a task have staged. */
  discardStaging(taskId: string): Promise<void>;
  /** The tasks that have something staged. */
  listStaging(): Promise<readonly string[]>;
  /** The names of all stored files. */
  listFiles(): Promise<readonly string[]>;
  /** Opens a stored file; undefined where there is none of this name. */
  openForRead(file: string): Promise<OpenedImage | undefined>;
  /** Lets go of the store. Nothing may be called afterwards; files that are open for reading stay open. */
  close(): Promise<void>;
}
