import path from 'node:path';

import type { ExecutionContext } from 'ava';

import { makeFolder, serveArgs, startServer } from '../../acceptance/harness/lehr-server.ts';
import type { LehrServer, Settings } from '../../acceptance/harness/lehr-server.ts';
import type { ProcessOptions } from '../../acceptance/harness/lehr-process.ts';
import { uniqueTopic } from '../../servers/unique-topic.ts';
import { patienceMs, within } from './within.ts';

/** Something that undoes what was made: a test, or what the tests of a file share. */
export type Scope = Pick<ExecutionContext, 'teardown'>;

/** What the nodes stand on, `host:port` each, comma between. */
export interface Servers {
  readonly kafka: string;
  readonly nats: string;
}

/** So many lines of each node tell what it did last. */
const lastLines = 25;

/** Nodes that share a topic of their own and a folder of images. Each has a data folder by its name, which outlives the node. */
export class Cluster {
  readonly topic: string = uniqueTopic();
  /** The folder of the images. */
  readonly storeFolder: string;
  readonly #scope: Scope;
  readonly #folder: string;
  readonly #settings: Settings;
  readonly #lives: { readonly name: string; readonly output: () => string }[] = [];

  private constructor(scope: Scope, folder: string, servers: Servers, settings: Settings) {
    this.#scope = scope;
    this.#folder = folder;
    this.storeFolder = path.join(folder, 'store');
    this.#settings = {
      log: 'kafka', 'kafka-brokers': servers.kafka, 'kafka-topic': this.topic, 'nats-servers': servers.nats, 'store-dir': this.storeFolder,
      workers: '1', ...settings,
    };
  }

  /** Makes the folders of a cluster without nodes; `settings` are those of all nodes. */
  static async make(scope: Scope, servers: Servers, settings: Settings = {}): Promise<Cluster> {
    return new Cluster(scope, await makeFolder(scope), servers, settings);
  }

  /** The data folder of a node. */
  folderOf(name: string): string {
    return path.join(this.#folder, name);
  }

  /** The arguments that start a node. */
  argsOf(name: string, settings: Settings = {}): string[] {
    return serveArgs(this.folderOf(name), { ...this.#settings, ...settings });
  }

  /** Starts a node, for the first time or again, and waits until it is ready. */
  async start(name: string, settings: Settings = {}, options: ProcessOptions = {}): Promise<LehrServer> {
    const server = await within(
      patienceMs, `the node ${name} is ready`, startServer(this.#scope, this.folderOf(name), { ...this.#settings, ...settings }, options),
    );
    this.#lives.push({ name, output: server.process.stderr });
    return server;
  }

  /** Starts several nodes at once. */
  startAll<Names extends readonly string[]>(...names: Names): Promise<{ [Name in keyof Names]: LehrServer }> {
    return Promise.all(names.map((name) => this.start(name))) as Promise<{ [Name in keyof Names]: LehrServer }>;
  }

  /** Shows what the nodes said last where a test has failed: `test.afterEach.always((t) => cluster.explain(t))`. */
  explain(t: ExecutionContext): void {
    if (t.passed) return;
    for (const { name, output } of this.#lives) t.log(`node ${name}:\n${output().trimEnd().split('\n').slice(-lastLines).join('\n')}`);
  }
}
