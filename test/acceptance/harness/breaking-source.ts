import type { ServerResponse } from 'node:http';

import type { Behaviour } from './source-server.ts';

const pieceBytes = 1024 * 1024;

/** How a source behaves once it has sent the content up to a place, the first time. */
export interface Break {
  readonly atBytes: number;
  readonly then: 'reset' | 'close' | 'silence';
}

/** A content that is served in ranges over a line that breaks in places. */
export class BreakingSource {
  /** Bytes of the content that were handed to the network so far, those that never arrived too. */
  sentBytes = 0;
  readonly #content: Uint8Array;
  readonly #etag: string;
  readonly #breaks: Break[];
  readonly #silent = Promise.withResolvers<void>();

  constructor(content: Uint8Array, etag: string, breaks: readonly Break[]) {
    this.#content = content;
    this.#etag = etag;
    this.#breaks = [...breaks];
  }

  /** Resolves when the source has fallen silent. */
  get silent(): Promise<void> {
    return this.#silent.promise;
  }

  /** For a `SourceServer`. */
  readonly behaviour: Behaviour = (response, request) => {
    const [, offset] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const isRange = offset !== undefined && request.headers['if-range'] === this.#etag;
    const from = isRange ? Number(offset) : 0;
    const { length } = this.#content;
    response.writeHead(isRange ? 206 : 200, {
      etag: this.#etag,
      'content-length': length - from,
      ...(isRange ? { 'content-range': `bytes ${from}-${length - 1}/${length}` } : {}),
    });
    // A reader that goes away in the middle is part of the game.
    response.on('error', () => undefined);
    void this.#send(response, from);
  };

  async #send(response: ServerResponse, from: number): Promise<void> {
    for (let at = from; at < this.#content.length; ) {
      if (response.destroyed) return;
      const next = this.#breaks[0];
      if (next !== undefined && next.atBytes <= at) {
        this.#breaks.shift();
        return this.#break(response, next);
      }
      const end = Math.min(at + pieceBytes, next?.atBytes ?? this.#content.length, this.#content.length);
      this.sentBytes += end - at;
      const piece = this.#content.subarray(at, end);
      await new Promise<void>((resolve) => response.write(piece, () => resolve()));
      at = end;
    }
    response.end();
  }

  #break(response: ServerResponse, { then }: Break): void {
    if (then === 'reset') response.socket?.resetAndDestroy();
    if (then === 'close') response.socket?.end();
    if (then === 'silence') this.#silent.resolve();
  }
}
