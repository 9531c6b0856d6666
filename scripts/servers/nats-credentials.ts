import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { nkeys } from 'nats';

/** What is used here of a pair of keys; the client's package declares no types of them. */
type KeyPair = { getPublicKey(): string; getSeed(): Uint8Array; sign(input: Uint8Array): Uint8Array };

const { createAccount, createOperator, createUser } = nkeys as Readonly<
  Record<'createAccount' | 'createOperator' | 'createUser', () => KeyPair>
>;

/** What a nats-server is told so that only the holder of a credentials file may connect, and that file. */
export type NatsCredentials = {
  /** Lines of the server's configuration. */
  readonly configuration: readonly string[];
  /** For the client. */
  readonly credentialsFile: string;
};

/** Without limits; JetStream is what an account gets only where its limits name it. */
const LIMITS = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, conn: -1, leaf: -1, wildcards: true };
const JETSTREAM_LIMITS = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
const USER = { type: 'user', subs: -1, data: -1, payload: -1 };

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A claim about `subject`, signed by `issuer`: https://docs.nats.io/running-a-nats-service/nats_admin/security/jwt. */
function claim(issuer: KeyPair, subject: KeyPair, name: string, nats: object): string {
  const issuedAt = Math.floor(Date.now() / 1000);
  const sub = subject.getPublicKey();
  const claims = { jti: sub, iat: issuedAt, iss: issuer.getPublicKey(), sub, name, nats: { version: 2, ...nats } };
  const signed = `${encode({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encode(claims)}`;
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`;
}

/** Makes an operator, an account that may use JetStream, and a user of it, whose file of credentials it writes to `folder`. */
export async function makeNatsCredentials(folder: string): Promise<NatsCredentials> {
  const [operator, system, account, user] = [createOperator(), createAccount(), createAccount(), createUser()];
  const accounts = [
    [system, claim(operator, system, 'system', { type: 'account', limits: LIMITS })],
    [account, claim(operator, account, 'lehr', { type: 'account', limits: { ...LIMITS, ...JETSTREAM_LIMITS } })],
  ] as const;
  const credentialsFile = path.join(folder, 'user.creds');
  const seed = Buffer.from(user.getSeed()).toString();
  await writeFile(
    credentialsFile,
    `-----BEGIN NATS USER JWT-----\n${claim(account, user, 'lehr', USER)}\n------END NATS USER JWT------\n\n` +
      `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
    { mode: 0o600 },
  );
  return {
    configuration: [
      `operator: ${claim(operator, operator, 'operator', { type: 'operator' })}`,
      `system_account: ${system.getPublicKey()}`,
      'resolver: MEMORY',
      `resolver_preload: { ${accounts.map(([key, jwt]) => `${key.getPublicKey()}: ${jwt}`).join(', ')} }`,
    ],
    credentialsFile,
  };
}
