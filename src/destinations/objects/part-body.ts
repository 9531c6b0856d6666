import { createHash } from 'node:crypto';

/** The main thread hashes so much at once, and turns to others in between. */
const stepBytes = 2 ** 20;

/** Cuts the bytes of an artefact into the bodies of its parts, one after the other. */
export class PartBodies {
  readonly #chunks: AsyncIterator<Uint8Array, unknown>;
  #rest: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Waits for the first bytes: an artefact that is read from its middle is verified before, and no request is to wait for that. */
  async begin(): Promise<void> {
    if (this.#rest.length === 0) this.#rest = await this.#nextChunk();
  }

  /** The next `sizeBytes` bytes. The body before has to be taken by then. */
  next(sizeBytes: number, onBytes: (count: number) => void): PartBody {
    return new PartBody(sizeBytes, (limit) => this.#take(limit), onBytes);
  }

  /** Ends the reading of the artefact. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #take(limitBytes: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) this.#rest = await this.#nextChunk();
    const taken = this.#rest.subarray(0, Math.min(limitBytes, stepBytes));
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async #nextChunk(): Promise<Uint8Array> {
    const next = await this.#chunks.next();
    if (next.done === true) throw new Error('An artefact has fewer bytes than it says.');
    return next.value;
  }
}

/** Takes all of a body, for its MD5 alone. */
export async function skim(body: PartBody): Promise<string> {
  const bytes = body[Symbol.asyncIterator]();
  while ((await bytes.next()).done !== true);
  return body.md5 ?? '';
}

/** The bytes of one part, whose MD5 is computed while they are taken. It is iterated over once. */
export class PartBody implements AsyncIterable<Uint8Array> {
  readonly #sizeBytes: number;
  readonly #take: (limitBytes: number) => Promise<Uint8Array>;
  readonly #onBytes: (count: number) => void;
  readonly #taken = Promise.withResolvers<undefined>();
  readonly #hash = createHash('md5');
  #md5: string | undefined;

  constructor(sizeBytes: number, take: (limitBytes: number) => Promise<Uint8Array>, onBytes: (count: number) => void) {
    this.#sizeBytes = sizeBytes;
    this.#take = take;
    this.#onBytes = onBytes;
  }

  /** Resolves once all bytes were taken; never where they are not. */
  get taken(): Promise<undefined> {
    return this.#taken.promise;
  }

  /** 32 lower-case hex digits; undefined until all bytes were taken. */
  get md5(): string | undefined {
    return this.#md5;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    for (let done = 0; done < this.#sizeBytes; ) {
      const chunk = await this.#take(this.#sizeBytes - done);
      this.#hash.update(chunk);
      done += chunk.length;
      if (done === this.#sizeBytes) this.#md5 = this.#hash.digest('hex');
      // Counted before it is handed over: from the last chunk on the object may be whole.
      this.#onBytes(chunk.length);
      yield chunk;
    }
    this.#taken.resolve(undefined);
  }
}
