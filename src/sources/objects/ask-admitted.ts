import type { EndpointAnswer } from './endpoint-exchange.ts';
import type { Endpoints } from './endpoints.ts';
import type { ObjectDoor, ObjectRequest } from './object-door.ts';
import { objectUri } from './object-uri.ts';

/** Sends a request through a door; see `ObjectDoor.ask`. */
export async function askAdmitted(
  door: Pick<ObjectDoor, 'admit' | 'renew'>,
  endpoints: Endpoints,
  request: ObjectRequest,
  signal: AbortSignal,
): Promise<EndpointAnswer> {
  const { method, address, body, take } = request;
  const shown = new URL(objectUri(address));
  const isReplayable = body === undefined || body instanceof Uint8Array;
  for (let isFirst = true; ; isFirst = false) {
    const admitted = await door.admit(request, signal);
    const { url, headers } = admitted;
    const sent = { method, url, headers, ...(body === undefined ? {} : { body }), ...(take === undefined ? {} : { take }) };
    const answer = await endpoints.ask(sent, shown, signal);
    if (answer.status !== 401 || !isFirst || !door.renew(admitted)) return answer;
    if (!isReplayable) return { ...answer, isExpired: true };
  }
}
