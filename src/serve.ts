import { once } from 'node:events';
import { pino } from 'pino';
import { ConfigError, environmentName, loadConfig } from './config.ts';
import { settings } from './settings.ts';
import { startServer } from './main.ts';

/** Exit code for a configuration that cannot be used (sysexits.h EX_CONFIG is 78; the command line uses 2 for usage). */
const usageExitCode = 2;

/** At the end whoever reads the log is given so long to take the last lines. */
const logDrainMs = 1_000;

/**
 * A signal that comes again within so long is the same one: a service manager tells the whole process group, and a launcher
 * passes on what it was told.
 */
const sameSignalMs = 500;

/**
 * `lehr serve`: runs a server until SIGINT or SIGTERM and returns the exit code. Standard output gets one line when it is
 * ready; standard error gets the log. A second signal ends the process at once.
 */
export async function serve(args: readonly string[]): Promise<number> {
  let config;
  try {
    config = loadConfig(args, process.env);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    process.stderr.write(`lehr serve: ${cause.message.replaceAll('\n', '\nlehr serve: ')}\n`);
    return usageExitCode;
  }
  const destination = pino.destination({ fd: 2, sync: false });
  const logger = pino({ level: config['log-level'], base: {} }, destination);
  const ended = Promise.withResolvers<number>();
  const deaths: unknown[] = [];
  try {
    let isReady = false;
    const server = await startServer(config, logger, (cause) => {
      // One death may be noticed in more than one place.
      if (deaths.push(cause) > 1) return;
      if (isReady) logger.fatal({ err: cause }, 'the server cannot go on');
      else process.stderr.write(`lehr serve: ${messageOf(cause)}\n`);
      ended.resolve(1);
    });
    let askedAtMs: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      if (askedAtMs !== undefined && performance.now() - askedAtMs < sameSignalMs) return;
      if (askedAtMs !== undefined) process.exit(130);
      askedAtMs = performance.now();
      logger.info({ signal }, 'stopping');
      server.stop().then(() => { ended.resolve(0); }, (cause: unknown) => {
        logger.error({ err: cause }, 'stopping failed');
        ended.resolve(1);
      });
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
    void server.ready.then(() => {
      isReady = true;
      const host = config.listen.includes(':') ? `[${config.listen}]` : config.listen;
      process.stdout.write(`lehr is ready: gRPC on ${host}:${server.grpcPort}, HTTP on http://${host}:${server.httpPort}\n`);
    }, () => undefined);
    return await ended.promise;
  } catch (cause) {
    if (deaths.length === 0) process.stderr.write(`lehr serve: ${messageOf(cause)}\n`);
    return 1;
  } finally {
    // The process ends next, and with it whatever is still on its way to the log: above all why it ends.
    const drained = once(destination, 'close', { signal: AbortSignal.timeout(logDrainMs) });
    destination.end();
    await drained.catch(() => undefined);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The help of `lehr serve`: every setting with its default. */
export function serveHelp(): string {
  const rows = Object.entries(settings).map(([name, { fallback, description }]) => {
    const shown = fallback === '' ? '' : ` Default: ${fallback}.`;
    return `  --${name}\n      ${description}${shown} (${environmentName(name)})`;
  });
  return `Usage: lehr serve [settings]

Runs the service in this process until it is told to stop. Each setting is a flag (--http-port 8080), an environment
variable (LEHR_HTTP_PORT) or a key of lehr.yaml (http-port: 8080), in this order. --config FILE names another file.

Settings:
${rows.join('\n')}

Examples:
  lehr serve
  lehr serve --data-dir /var/lib/lehr --file-roots /srv/images --workers 4
  LEHR_HTTP_PORT=0 LEHR_GRPC_PORT=0 lehr serve
`;
}
