import { randomUUID } from 'node:crypto';

/** What the doors need of a logger; pino fits. */
export interface DoorLogger {
  /** `fields` may hold an error under `err`; `message` is for a person. */
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Writes down what the caller must not be shown, and names it so that both sides can speak of it. */
export interface Incidents {
  /** Logs `cause` as an error and returns the id under which it stands in the log. */
  readonly report: (cause: unknown) => string;
}

/** Incidents that go to `logger`; `newId` makes the ids, unique and without meaning. */
export function loggedIncidents(logger: DoorLogger, newId: () => string = randomUUID): Incidents {
  return {
    report(cause) {
      const incidentId = newId();
      logger.error({ err: cause, incidentId }, 'A call failed by a fault of this server.');
      return incidentId;
    },
  };
}
