import type { KafkaSettings } from '../log/kafka/kafka-settings.ts';
import type { Config } from '../settings.ts';
import { readSecret, tlsFilesOf } from './setting-files.ts';

/** How to reach Kafka, by the configuration and the files that it names. Throws, naming the setting, where one cannot be read. */
export function kafkaSettingsOf(config: Config): KafkaSettings {
  const mechanism = config['kafka-sasl'];
  return {
    brokers: config['kafka-brokers'],
    topic: config['kafka-topic'],
    partitions: config['kafka-partitions'],
    replication: config['kafka-replication'],
    ...(config['kafka-tls'] === 'on' ? { tls: tlsFilesOf(config, 'kafka') } : {}),
    ...(mechanism === 'none' ? {} : {
      sasl: { mechanism, username: config['kafka-username'], password: readSecret(config, 'kafka-password-file') },
    }),
  };
}
