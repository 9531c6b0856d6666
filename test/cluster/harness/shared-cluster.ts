import test from 'ava';

import type { LehrServer, Settings } from '../../acceptance/harness/lehr-server.ts';
import { startSource } from '../../acceptance/harness/source-server.ts';
import type { SourceServer } from '../../acceptance/harness/source-server.ts';
import { Teardowns } from '../../acceptance/harness/teardowns.ts';
import { Cluster } from './cluster.ts';
import type { Servers } from './cluster.ts';
import { sharedServers } from './with-servers.ts';

/** The names of its nodes. */
const names = ['a', 'b', 'c'] as const;

/** What the tests of a file share. It is there once the hooks before its tests have run. */
export interface SharedCluster {
  readonly servers: Servers;
  readonly cluster: Cluster;
  /** By name those that live; a test that ends or starts one says so here. */
  readonly nodes: Map<string, LehrServer>;
  /** The three that were started, in order of name. */
  readonly three: readonly [LehrServer, LehrServer, LehrServer];
  readonly source: SourceServer;
}

/** Has three nodes started, with a topic of their own, before the tests of a file, and ended after them. */
export function shareCluster(settings: Settings = {}): SharedCluster {
  const undo = new Teardowns();
  const made: { -readonly [Name in keyof SharedCluster]?: SharedCluster[Name] } = {};
  test.serial.before(async (t) => {
    made.source = await startSource(undo);
    made.servers = await sharedServers(t);
    made.cluster = await Cluster.make(undo, made.servers, settings);
    const three = await made.cluster.startAll(...names);
    made.three = three;
    made.nodes = new Map(names.map((name, index) => [name, three[index]!]));
  });
  test.afterEach.always((t) => made.cluster?.explain(t));
  test.after.always(() => undo.run());
  return made as SharedCluster;
}
