import type { Authenticate } from '../authenticate.ts';
import type { Incidents } from '../errors/incidents.ts';

/** What the handlers of one gRPC server share. */
export interface GrpcDoor {
  readonly authenticate: Authenticate;
  readonly incidents: Incidents;
  /** One controller for each open call whose signal somebody holds; a stopping server aborts them. */
  readonly openCalls: Set<AbortController>;
  /** How long a stream waits for a reader that takes nothing. */
  readonly stalledReaderTimeoutMs: number;
}
