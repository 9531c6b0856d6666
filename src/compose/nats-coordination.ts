import type { Logger } from 'pino';
import { Liveness } from '../jobs/liveness.ts';
import { ensureJobStream } from '../jobs/nats/ensure-job-stream.ts';
import { NatsHeartbeats } from '../jobs/nats/nats-heartbeats.ts';
import { NatsJobQueue } from '../jobs/nats/nats-job-queue.ts';
import { NatsLink } from '../jobs/nats/nats-link.ts';
import { natsNames } from '../jobs/nats/nats-names.ts';
import type { NatsSettings } from '../jobs/nats/nats-settings.ts';
import { NatsSignals } from '../jobs/nats/nats-signals.ts';
import { nextIncarnation } from '../jobs/node-identity.ts';
import { sweepEveryMs } from '../jobs/sweep.ts';
import { systemClock as clock } from '../jobs/system-clock.ts';
import { clusterSpreadMs } from '../jobs/timers.ts';
import type { Config } from '../settings.ts';
import type { Coordination } from './backend.ts';
import { readNamed, readSecret, tlsFilesOf } from './setting-files.ts';

/**
 * Jobs, signals and heartbeats over NATS, for the next life of the node whose data folder this is. Rejects, with a message for the
 * operator, where NATS cannot be used as it is.
 */
export async function openNats(folder: string, config: Config, logger: Logger): Promise<Coordination> {
  const self = await nextIncarnation(folder);
  const names = natsNames(config['kafka-topic']);
  const link = await NatsLink.open(natsSettingsOf(config), clock, logger);
  try {
    await ensureJobStream(link.connection, names);
  } catch (cause) {
    await link.close();
    throw cause;
  }
  const heartbeats = new NatsHeartbeats(link, names, clock, logger);
  const liveness = new Liveness({ heartbeats, clock, self });
  let queue: NatsJobQueue | undefined;
  return {
    signals: new NatsSignals(link, names, clock, logger),
    incarnation: self.incarnation,
    isDead: (incarnation) => liveness.isDead(incarnation),
    openQueue(sweep) {
      liveness.onDeath((deaths) => {
        for (const { incarnation, reason } of deaths) logger.warn({ incarnation, reason }, 'a node is gone; its tasks are taken over');
        sweep();
      });
      queue = new NatsJobQueue({ link, names, clock, log: logger, onLoss: sweep });
      liveness.start();
      return queue;
    },
    timerSpread: { spreadMs: clusterSpreadMs, random: Math.random },
    regularSweep: { everyMs: sweepEveryMs, random: Math.random },
    leave() {
      queue?.close();
      liveness.stop();
    },
    get isConnected() { return link.isUp; },
    close: () => link.close(),
  };
}

function natsSettingsOf(config: Config): NatsSettings {
  return {
    servers: config['nats-servers'],
    ...(config['nats-tls'] === 'on' ? { tls: tlsFilesOf(config, 'nats') } : {}),
    ...(config['nats-username'] === '' ? {} : { login: { username: config['nats-username'], password: readSecret(config, 'nats-password-file') } }),
    ...(config['nats-credentials'] === '' ? {} : { credentials: readNamed(config, 'nats-credentials') }),
  };
}
