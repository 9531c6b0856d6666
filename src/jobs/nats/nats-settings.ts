/** How to reach NATS. */
export interface NatsSettings {
  /** All servers, `host:port`. */
  readonly servers: readonly string[];
  /** Undefined: no TLS. PEM texts; without `ca` the authorities of Node.js count. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly login?: { readonly username: string; readonly password: string };
  /** The content of a credentials file (`.creds`). */
  readonly credentials?: string;
}

/** What this folder tells the operator. */
export interface NatsLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}
