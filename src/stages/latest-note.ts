/** Writes notes one after the other; of those that come while one is being written only the latest is. A note may be lost. */
export class LatestNote {
  readonly #write: (text: string) => Promise<void>;
  #next: string | undefined;
  #writing: Promise<void> | undefined;
  #hasWritten = false;

  constructor(write: (text: string) => Promise<void>) {
    this.#write = write;
  }

  /** Whether there may be a note by now. */
  get hasWritten(): boolean {
    return this.#hasWritten;
  }

  /** Takes the place of all notes before. */
  put(text: string): void {
    this.#next = text;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let text = this.#next; text !== undefined; text = this.#next) {
      this.#next = undefined;
      this.#hasWritten = true;
      // The one before holds then, or none does: a later attempt has to fetch more.
      await this.#write(text).catch(() => undefined);
    }
    this.#writing = undefined;
  }
}
