import type { Logger } from 'pino';
import { probeSandbox, serviceSandbox } from '../sandbox/probe-sandbox.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { OnStart } from '../sandbox/start-program.ts';
import type { Config } from '../settings.ts';

/** Finds out whether images can be converted here, and tells the log where not, or not as well as they should be. */
export async function openSandbox(config: Config, logger: Logger, onStart: OnStart): Promise<Sandbox> {
  if (config.workers === 0 || !config.roles.includes('worker')) return { kind: 'none', missing: 'This server takes no tasks.' };
  const sandbox = await probeSandbox(serviceSandbox(config.sandbox, onStart));
  switch (sandbox.kind) {
    case 'full':
      break;
    case 'weak':
      logger.warn({ missing: sandbox.missing }, 'qemu-img sees what this server sees, as the setting sandbox allows');
      break;
    case 'none':
      logger.warn({ missing: sandbox.missing }, 'images are not converted; tasks that ask for another format are refused');
      break;
    default:
      sandbox satisfies never;
  }
  return sandbox;
}
