import type { Clock } from '../domain/clock.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Metrics } from './metrics.ts';

/** The same log, with each append timed. */
export function meteredLog(log: EventLog, metrics: Pick<Metrics, 'appended'>, clock: Clock): EventLog {
  return {
    async append(canonical, signal) {
      const startedMs = clock.monotonicMs();
      const outcome = await log.append(canonical, signal);
      metrics.appended((clock.monotonicMs() - startedMs) / 1_000);
      return outcome;
    },
    read: (from, signal) => log.read(from, signal),
    end: (subject) => log.end(subject),
    close: () => log.close(),
  };
}
