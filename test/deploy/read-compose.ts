import { parse } from 'yaml';

import { textOf } from '../docs/tables.ts';

/** A service of the compose file, as far as tests look at it. */
export interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly network_mode?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

/** The compose file. */
export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** Reads deploy/compose.yaml, anchors and merges resolved. */
export function readCompose(): Compose {
  return parse(textOf('deploy/compose.yaml'), { merge: true }) as Compose;
}

/** The settings of Kafka's server.properties that the image makes of its environment: `KAFKA_NODE_ID` becomes `node.id`. */
export function brokerProperties({ environment = {} }: Service): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(environment)
    .filter(([name]) => name.startsWith('KAFKA_') && name !== 'KAFKA_HEAP_OPTS')
    .map(([name, value]) => [name.slice('KAFKA_'.length).toLowerCase().replaceAll('_', '.'), String(value)]));
}
