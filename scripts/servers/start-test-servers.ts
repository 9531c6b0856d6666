import { startKafka } from './start-kafka.ts';
import { startNats } from './start-nats.ts';

/** The servers that all test files of one run share. */
export type TestServers = {
  /** `TEST_KAFKA` and `TEST_NATS`, `host:port` each, of those that run. */
  readonly env: Readonly<Record<string, string>>;
  /** What went wrong with those that should run and do not, one text each. */
  readonly faults: readonly string[];
  stop(): Promise<void>;
};

/** Nobody kills this broker, so nobody waits for its session to end; a busy machine is not to end it either. */
const KAFKA_PROPERTIES = { 'broker.session.timeout.ms': '18000', 'broker.heartbeat.interval.ms': '2000' };

type Started = { readonly variable: string; readonly address: string; stop(): Promise<void> };

async function sharedKafka(): Promise<Started> {
  const kafka = await startKafka({ properties: KAFKA_PROPERTIES });
  return { variable: 'TEST_KAFKA', address: kafka.brokers.join(','), stop: () => kafka.stop() };
}

async function sharedNats(): Promise<Started> {
  const nats = await startNats();
  return { variable: 'TEST_NATS', address: nats.url, stop: () => nats.stop() };
}

/** Starts one Kafka broker and one nats-server, as far as the tools in `available` allow; test/servers/ finds them by `env`. */
export async function startTestServers(available: readonly string[]): Promise<TestServers> {
  const starts = [
    ...(available.includes('kafka') ? [sharedKafka()] : []),
    ...(available.includes('nats-server') ? [sharedNats()] : []),
  ];
  const ends = await Promise.allSettled(starts);
  const started = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  return {
    env: Object.fromEntries(started.map(({ variable, address }) => [variable, address])),
    faults: ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : [])),
    async stop() {
      await Promise.all(started.map((server) => server.stop()));
    },
  };
}
