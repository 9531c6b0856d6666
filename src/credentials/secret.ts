import { inspect } from 'node:util';

/** What a secret shows of itself wherever it is printed. */
const shown = '[secret]';

/** A text that nothing prints by mistake: a log, an error and JSON show that it is a secret, and no more. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for the request that it is sent with. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  [inspect.custom](): string {
    return shown;
  }
}
