import { connect } from 'node:net';
import type { LookupFunction, Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** The size of the buffers that a socket receives into. Each connection has two. */
const receiveBytes = 64 * 1024;

/** A connection was not made in time. The code is undici's for the same, so that both kinds of connection fail alike. */
export class ConnectTimeoutError extends Error {
  override readonly name = 'ConnectTimeoutError';
  readonly code = 'UND_ERR_CONNECT_TIMEOUT';
}

/**
 * Makes connections without TLS for undici, as its own connector does, except that a socket receives into the same two
 * buffers again and again. Node otherwise allocates 64 KiB for every read, a gigabyte of garbage for an image of a gigabyte,
 * for which V8 stops the main thread seventy times. So whoever reads from the socket has to copy what he wants to keep.
 */
export function connectPlain(lookup: LookupFunction, timeoutMs: number): buildConnector.connector {
  return ({ hostname, port }, callback) => {
    const buffers = new ReceiveBuffers(() => socket.readableLength);
    const options = {
      host: hostname,
      port: port === '' ? 80 : Number(port),
      lookup,
      noDelay: true,
      keepAlive: true,
      // A full buffer in the stream stops the reading until it is taken: two would be joined by a copy.
      highWaterMark: receiveBytes,
      onread: {
        buffer: () => buffers.next(),
        callback: (sizeBytes: number, buffer: Uint8Array) => socket.push(buffers.received(sizeBytes, buffer)),
      },
    };
    const socket: Socket = connect(options);
    const timer = setTimeout(() => socket.destroy(new ConnectTimeoutError('The connection was not made in time.')), timeoutMs);
    const onError = (error: Error): void => {
      clearTimeout(timer);
      callback(error, null);
    };
    socket.once('error', onError).once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      callback(null, socket);
    });
  };
}

/**
 * Two buffers used in turn. The next read goes into the one that is not in the stream now, provided that everything older
 * has left the stream; if not, because the reader has paused, the read gets a new buffer in place of the busy one.
 */
class ReceiveBuffers {
  readonly #waitingBytes: () => number;
  #current: Uint8Array = Buffer.allocUnsafeSlow(receiveBytes);
  #other: Uint8Array | undefined;
  #lastBytes = 0;

  constructor(waitingBytes: () => number) {
    this.#waitingBytes = waitingBytes;
  }

  received(sizeBytes: number, buffer: Uint8Array): Uint8Array {
    this.#lastBytes = sizeBytes;
    return buffer.subarray(0, sizeBytes);
  }

  next(): Uint8Array {
    const isOtherFree = this.#other !== undefined && this.#lastBytes === this.#waitingBytes();
    const next = isOtherFree && this.#other !== undefined ? this.#other : Buffer.allocUnsafeSlow(receiveBytes);
    this.#other = this.#current;
    this.#current = next;
    return next;
  }
}
