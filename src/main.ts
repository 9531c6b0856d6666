import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { apiRoleMissing, gateServices, notReady } from './api/gate-services.ts';
import { startGrpc } from './api/grpc/start-grpc.ts';
import { startHttp } from './api/http/start-http.ts';
import { BytesPool } from './bytes/bytes-pool.ts';
import type { openCluster } from './compose/cluster.ts';
import { openEmbedded } from './compose/embedded.ts';
import { openSandbox } from './compose/open-sandbox.ts';
import { startRoles, type Roles, type Serving } from './compose/roles.ts';
import { StopSteps } from './compose/stop-steps.ts';
import { readCredentials } from './credentials/read-credentials.ts';
import { lockDataFolder } from './log/sqlite/data-lock.ts';
import { createMetrics } from './observe/metrics.ts';
import type { Config } from './settings.ts';
import { FolderStore } from './stores/folder/folder-store.ts';

/** How long attempts and open calls are given to end when the server is asked to stop. */
export const stopGraceMs = 5_000;

/** A server that runs. */
export interface RunningServer {
  readonly grpcPort: number;
  readonly httpPort: number;
  /** Resolves once calls are answered: the projections have caught up. */
  readonly ready: Promise<void>;
  /** Takes no more work, lets watchers go, ends or hands back attempts, closes everything. A second call waits for the first. */
  stop(): Promise<void>;
}

/**
 * The composition root: config in, roles out; with the files of `compose/` it alone wires. `onServerDeath` is called when the server
 * cannot go on. Rejects, with a message for the operator, where it cannot start.
 */
export async function startServer(config: Config, logger: Logger, onServerDeath: (cause: unknown) => void): Promise<RunningServer> {
  let isStopping = false;
  const onDeath = (cause: unknown): void => {
    if (!isStopping) onServerDeath(cause);
  };
  const folder = resolve(config['data-dir']);
  const undo = new StopSteps(logger);
  try {
    const { credentials, warnings } = readCredentials(config.credentials);
    for (const warning of warnings) logger.warn(warning);
    const lock = lockDataFolder(folder, `process ${process.pid} on ${hostname()}`);
    undo.push('the lock of the data folder', () => { lock.release(); });
    const store = await FolderStore.open(config['store-dir'] === '' ? join(folder, 'store') : resolve(config['store-dir']));
    undo.push('the store', () => store.close());
    const backend = config.log === 'kafka'
      ? await openClusterLazily(folder, config, logger, onDeath)
      : await openEmbedded(folder, { stageTimeoutMs: config['stage-timeout'] }, onDeath);
    undo.push('the log and the projections', () => backend.close());
    const pool = new BytesPool(config.workers, {
      onThreadDeath: (cause) => { logger.error({ cause }, 'a thread that handles bytes died and is replaced; its transfers are tried again'); },
    });
    undo.push('the threads that handle bytes', () => pool.close());

    let roles: Roles | undefined;
    const serving = (): Serving => {
      if (roles === undefined) throw notReady();
      if (roles.serving === undefined) throw apiRoleMissing();
      return roles.serving;
    };
    const gated = gateServices(() => serving().services);
    const metrics = createMetrics({
      runningTasks: () => roles?.runningCount ?? 0,
      openWatches: () => roles?.openWatches ?? 0,
      projectionLag: () => backend.lagRecords,
      borrowedSlots: () => pool.stats().borrowedSlots,
      haltedPartitions: () => backend.haltedPartitions,
      unknownTypes: () => backend.unknownTypes,
      isConnected: () => backend.coordination.isConnected,
    });
    const probed = openSandbox(config, logger, (name) => { metrics.programStarted(name); });
    const readiness = (): string[] => [
      ...(roles === undefined ? ['the projections have not caught up with the log yet'] : []),
      ...backend.problems(),
    ];
    const http = await startHttp({
      services: gated, host: config.listen, port: config['http-port'], logger, readiness, metrics: () => metrics.read(),
      openImage: async (id, call) => {
        const { image, bytes } = await serving().open(id, call);
        return { image, read: (target, position) => bytes.read(target, position), close: () => bytes.close() };
      },
    });
    undo.push('calls over HTTP', () => http.stop(stopGraceMs));
    const grpc = await startGrpc({ services: gated, host: config.listen, port: config['grpc-port'], logger });
    undo.push('calls over gRPC', () => grpc.stop(stopGraceMs));

    const ready = Promise.all([backend.ready, probed]).then(([, sandbox]) => {
      const started = startRoles({ config, credentials, backend, store, pool, sandbox, metrics, logger, onDeath });
      for (const { name, run } of started.closing) undo.push(name, run);
      // The doors close before what calls are answered from does.
      undo.push('tasks and calls that are under way', () => Promise.all([
        started.stopWork(stopGraceMs), grpc.stop(stopGraceMs), http.stop(stopGraceMs),
      ]));
      roles = started;
      grpc.setServing(started.serving !== undefined);
    });
    ready.catch(onDeath);
    let stopped: Promise<void> | undefined;
    return {
      grpcPort: grpc.port,
      httpPort: http.port,
      ready,
      stop: () => {
        isStopping = true;
        grpc.setServing(false);
        // What has not caught up with its log yet does so the next time.
        const interrupted = roles === undefined ? backend.interrupt() : Promise.resolve();
        return (stopped ??= interrupted.then(() => ready).catch(() => undefined).then(() => undo.run()));
      },
    };
  } catch (cause) {
    await undo.run();
    throw cause;
  }
}

/** The clients of Kafka and NATS are loaded where they are needed only. */
async function openClusterLazily(...args: Parameters<typeof openCluster>): ReturnType<typeof openCluster> {
  const { openCluster: open } = await import('./compose/cluster.ts');
  return open(...args);
}
