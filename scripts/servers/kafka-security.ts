import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { makeCertificates } from './make-certificates.ts';
import type { Certificates } from './make-certificates.ts';

/** What the listener for clients asks of them. */
export type KafkaSecurity = {
  /** `server`: clients must speak TLS. `mutual`: they must show a certificate of the same authority too. Default off. */
  readonly tls?: 'off' | 'server' | 'mutual';
  /** The only user there is. Name and password are made of letters, digits, `-`, `_` and `.`. */
  readonly sasl?: { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string };
};

/** What follows from it for the brokers. */
export type KafkaSecuritySettings = {
  /** Of the listener for clients, as Kafka names it. */
  readonly protocol: string;
  readonly properties: Readonly<Record<string, string>>;
  /** For the storage tool: users that must exist from the beginning. */
  readonly formatArgs: readonly string[];
  readonly certificates: Certificates | undefined;
};

/** Settings of the listener that kafka-properties.ts names CLIENTS. */
const LISTENER = 'listener.name.clients';

/** Texts that mean themselves in a properties file, in a JAAS entry and in an argument of the storage tool alike. */
const PLAIN_TEXT = /^[\w.-]+$/;

async function tlsProperties(certificates: Certificates, mutual: boolean, folder: string): Promise<Record<string, string>> {
  const store = path.join(folder, 'server-store.pem');
  const { serverKeyFile, serverCertFile, caFile } = certificates;
  await writeFile(store, (await Promise.all([serverKeyFile, serverCertFile].map((file) => readFile(file, 'utf8')))).join(''), { mode: 0o600 });
  return {
    [`${LISTENER}.ssl.keystore.type`]: 'PEM',
    [`${LISTENER}.ssl.keystore.location`]: store,
    [`${LISTENER}.ssl.truststore.type`]: 'PEM',
    [`${LISTENER}.ssl.truststore.location`]: caFile,
    [`${LISTENER}.ssl.client.auth`]: mutual ? 'required' : 'none',
  };
}

function saslProperties({ mechanism, username, password }: NonNullable<KafkaSecurity['sasl']>): Record<string, string> {
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`;
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return {
    [`${LISTENER}.sasl.enabled.mechanisms`]: mechanism.toUpperCase(),
    [`${LISTENER}.${mechanism}.sasl.jaas.config`]: mechanism === 'plain' ? plain : scram,
  };
}

/** Settings for the listener for clients; certificates are made in `folder`, which exists. */
export async function kafkaSecurity({ tls = 'off', sasl }: KafkaSecurity, folder: string): Promise<KafkaSecuritySettings> {
  if (sasl !== undefined && ![sasl.username, sasl.password].every((text) => PLAIN_TEXT.test(text))) {
    throw new Error('The name and the password of a Kafka user are made of letters, digits, "-", "_" and ".".');
  }
  const certificates = tls === 'off' ? undefined : await makeCertificates(folder);
  const channel = certificates === undefined ? 'PLAINTEXT' : 'SSL';
  const isScram = sasl !== undefined && sasl.mechanism !== 'plain';
  return {
    protocol: sasl === undefined ? channel : `SASL_${channel}`,
    properties: {
      ...(certificates === undefined ? {} : await tlsProperties(certificates, tls === 'mutual', folder)),
      ...(sasl === undefined ? {} : saslProperties(sasl)),
    },
    formatArgs: isScram ? ['--add-scram', `${sasl.mechanism.toUpperCase()}=[name=${sasl.username},password=${sasl.password}]`] : [],
    certificates,
  };
}
