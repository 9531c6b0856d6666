import type { ExecutionContext } from 'ava';

import { startSwift } from '../../scripts/servers/start-swift.ts';
import type { SwiftServer } from '../../scripts/servers/start-swift.ts';

let own: Promise<SwiftServer> | undefined;

async function startOwn(): Promise<SwiftServer> {
  const swift = await startSwift();
  swift.unref();
  return swift;
}

/**
 * A real Swift with s3api that the tests of this file share, each with containers of its own; it ends with the file's
 * process. Ask for it only where `hasTool('swift')`.
 */
export function sharedSwift(t: ExecutionContext): Promise<SwiftServer> {
  if (own === undefined) t.log('started a Swift for this file');
  own ??= startOwn();
  return own;
}
