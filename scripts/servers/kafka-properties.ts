/** Where one broker listens. */
export type KafkaPorts = { readonly clients: number; readonly internal: number; readonly controller: number };

/** What the settings of one broker follow from. */
export type KafkaPropertiesOptions = {
  /** Of all brokers of the cluster, in the order of their ids, which begin with 1. */
  readonly ports: readonly KafkaPorts[];
  /** From 0. */
  readonly index: number;
  /** What clients are told to connect to, `host:port`. */
  readonly advertised: string;
  /** Settings of the listener for clients, complete. */
  readonly security: Readonly<Record<string, string>>;
  /** `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`, of the listener for clients. */
  readonly protocol: string;
};

/**
 * The settings of one broker that is its cluster's controller too. Brokers talk to each other over a listener of their
 * own, so that what stands between clients and a broker (a proxy, TLS, passwords) never touches the replication.
 */
export function kafkaProperties(options: KafkaPropertiesOptions): Readonly<Record<string, string>> {
  const { ports, index, advertised, security, protocol } = options;
  const own = ports[index];
  if (own === undefined) throw new Error(`There is no broker ${index}.`);
  const listen = (port: number): string => `127.0.0.1:${port}`;
  const copies = String(Math.min(3, ports.length));
  return {
    'process.roles': 'broker,controller',
    'node.id': String(index + 1),
    'controller.quorum.voters': ports.map(({ controller }, other) => `${other + 1}@${listen(controller)}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
    listeners: `CLIENTS://${listen(own.clients)},INTERNAL://${listen(own.internal)},CONTROLLER://${listen(own.controller)}`,
    'advertised.listeners': `CLIENTS://${advertised},INTERNAL://${listen(own.internal)}`,
    'listener.security.protocol.map': `CLIENTS:${protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    ...security,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.replication.factor': copies,
    'share.coordinator.state.topic.replication.factor': copies,
    // Fewer partitions: the topic of offsets is there sooner, and so is the coordinator of a group.
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    // The buffer of the log cleaner is allocated at the start and would be 128 MiB of the heap.
    'log.cleaner.dedupe.buffer.size': String(4 * 2 ** 20),
    // A broker that is gone is noticed sooner than after the nine seconds of the default. A single one that was killed
    // waits at its next start until its own old session is over.
    'broker.session.timeout.ms': ports.length > 1 ? '6000' : '2000',
    'broker.heartbeat.interval.ms': ports.length > 1 ? '1000' : '500',
    // Twice a second by default, which is most of what an idle broker does.
    'metadata.max.idle.interval.ms': '5000',
  };
}
