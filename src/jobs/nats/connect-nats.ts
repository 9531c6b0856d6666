import { isIP } from 'node:net';
import { connect, credsAuthenticator, ErrorCode, NatsError, type ConnectionOptions, type NatsConnection } from 'nats';
import type { NatsSettings } from './nats-settings.ts';

/** A server has so long to take a connection. */
const connectTimeoutMs = 3_000;

/** A server that leaves two pings of this distance unanswered is taken for gone. */
const pingEveryMs = 2_000;
const unansweredPings = 2;

/** NATS cannot be used; the message is for the operator and holds no secret. */
export class NatsUnavailableError extends Error {
  override readonly name = 'NatsUnavailableError';
  /** The settings are wrong: it is of no use to try again. */
  readonly isFinal: boolean;

  constructor(message: string, isFinal: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isFinal = isFinal;
  }
}

/**
 * Connects to the first of the servers, in the order given, that answers and has JetStream. The connection does not mend
 * itself: who uses it makes another one when it is closed. So nothing that was sent piles up in the client while NATS is away, and
 * whatever stands on a connection is made anew with it. Rejects with `NatsUnavailableError`, of the last server that was tried.
 */
export async function connectNats(settings: NatsSettings): Promise<NatsConnection> {
  let problem = new NatsUnavailableError('nats-servers: names no server.', true);
  for (const server of settings.servers) {
    let connection: NatsConnection | undefined;
    try {
      connection = await connect(optionsOf(settings, server));
      await connection.jetstreamManager({ timeout: connectTimeoutMs });
      return connection;
    } catch (cause) {
      await connection?.close();
      problem = unavailable(cause, settings, server);
      if (problem.isFinal) break;
    }
  }
  throw problem;
}

function optionsOf({ tls, login, credentials }: NatsSettings, server: string): ConnectionOptions {
  return {
    servers: server,
    name: 'lehr',
    reconnect: false,
    timeout: connectTimeoutMs,
    pingInterval: pingEveryMs,
    maxPingOut: unansweredPings,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
    // Null, not undefined: the client would turn to TLS by itself where a server offers it, and then not know its authority.
    tls: tls === undefined ? null : { ...tls, ...certifiedAddress(server) },
    ...(login === undefined ? {} : { user: login.username, pass: login.password }),
    ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }),
  };
}

/**
 * The client (2.29) tells Node's TLS nothing about a server that is named by its address, and Node then checks the certificate
 * against `localhost`. What it does not know among the TLS options it hands on: so the address is put there.
 */
function certifiedAddress(server: string): { readonly host?: string } {
  const host = server.slice(0, server.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? {} : { host };
}

interface Meaning {
  /** It is of no use to try again. */
  readonly isFinal: boolean;
  readonly say: (server: string) => string;
}

const refusedLogin: Meaning = {
  isFinal: true, say: (server) => `nats-username, nats-password-file, nats-credentials: ${server} refuses them.`,
};
const expiredLogin: Meaning = { isFinal: true, say: (server) => `nats-credentials: ${server} says that they have expired. Have new ones made.` };

/** What the client's error codes mean for the operator. */
const meanings: Readonly<Record<string, Meaning>> = {
  [ErrorCode.AuthorizationViolation]: refusedLogin,
  [ErrorCode.BadAuthentication]: refusedLogin,
  [ErrorCode.AuthenticationExpired]: expiredLogin,
  [ErrorCode.AccountExpired]: expiredLogin,
  [ErrorCode.PermissionsViolation]: {
    isFinal: true, say: (server) => `nats-username, nats-credentials: ${server} does not let them use JetStream ($JS.API.>).`,
  },
  [ErrorCode.BadCreds]: {
    isFinal: true, say: () => 'nats-credentials: the file holds no credentials. It must be a .creds file with a JWT and a seed.',
  },
  [ErrorCode.ServerOptionNotAvailable]: {
    isFinal: true, say: (server) => `nats-tls: ${server} speaks no TLS. Set nats-tls to off, or give the server a certificate.`,
  },
  [ErrorCode.AuthenticationTimeout]: { isFinal: false, say: (server) => `nats-servers: ${server} is too slow to let anybody in.` },
  // It may still be on its way up.
  [ErrorCode.JetStreamNotEnabled]: {
    isFinal: false, say: (server) => `nats-servers: ${server} runs without JetStream. Switch it on (jetstream { store_dir: … }).`,
  },
};

function unavailable(cause: unknown, { tls }: NatsSettings, server: string): NatsUnavailableError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const meaning = meanings[code];
  if (meaning !== undefined) return new NatsUnavailableError(meaning.say(server), meaning.isFinal, { cause });
  if (!isOfTls(code)) return new NatsUnavailableError(`nats-servers: no connection to ${server}: ${problemOf(cause)}.`, false, { cause });
  const message = tls === undefined
    ? `nats-tls: ${server} wants TLS. Set nats-tls to on.`
    : `nats-tls-ca, nats-tls-cert, nats-tls-key: no TLS connection to ${server} comes about: ${problemOf(cause)}.`;
  return new NatsUnavailableError(message, true, { cause });
}

/** Node's and OpenSSL's codes for certificates that do not fit, and the client's own. */
function isOfTls(code: string): boolean {
  return code === (ErrorCode.Tls as string) || /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code);
}

/** What went wrong, in one line: OpenSSL's reason where it has one. */
function problemOf(cause: unknown): string {
  const error = cause instanceof NatsError ? cause.chainedError ?? cause : cause;
  if (!(error instanceof Error)) return String(error);
  const text = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  return (text.split('\n', 1)[0] ?? '').replace(/\.$/, '');
}
