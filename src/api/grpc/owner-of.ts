import type { Authenticate } from '../authenticate.ts';
import type { ServerCall } from './grpc-call.ts';

/** Names the tenant of a call from its metadata; throws, or rejects with, the refusal of `authenticate`. */
export function ownerOf(authenticate: Authenticate, { metadata }: ServerCall): string | Promise<string> {
  return authenticate((name) => {
    const values = metadata.get(name).map(String);
    return values.length === 0 ? undefined : values.join(', ');
  });
}
