/** What the tests of a file share, undone after the last of them: `test.after.always(() => shared.run())`. */
export class Teardowns {
  readonly #works: (() => unknown)[] = [];

  readonly teardown = (work: () => unknown): void => void this.#works.push(work);

  async run(): Promise<void> {
    for (const work of this.#works.reverse()) await work();
  }
}
