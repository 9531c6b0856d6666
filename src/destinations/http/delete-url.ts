import type { Dispatcher } from 'undici';
import type { HttpConnections } from '../../sources/http-connections.ts';

/** Sends DELETE with these headers beside the usual, and answers with the status. Rejects where none comes. */
export async function deleteUrl(
  url: URL, headers: Readonly<Record<string, string>>, idleTimeoutMs: number, connections: HttpConnections, signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const connection = connections.lend(url.origin, true);
  const answered = Promise.withResolvers<number>();
  const onAbort = (): void => answered.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: () => connection.countRequest(),
    onResponseStart: (_, status) => {
      if (status >= 200) answered.resolve(status);
    },
    onResponseData: () => undefined,
    onResponseEnd: () => undefined,
    onResponseError: (_, error) => answered.reject(error),
  };
  try {
    connection.dispatch({
      method: 'DELETE',
      path: url.pathname + url.search,
      headers: { 'user-agent': 'lehr', accept: '*/*', ...headers },
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
    }, handler);
    return await answered.promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    connections.discard(connection);
  }
}
