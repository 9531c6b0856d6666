import type { Victim } from './victim.ts';

/** A broker or a nats-server as `scripts/servers` starts it. */
export interface Server {
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  start(): Promise<void>;
  /** Missing where it cannot be emptied. */
  readonly empty?: () => Promise<void>;
}

/** A server that is not ready within a minute, on a machine that has too much to do, is started again, so often in all. */
const startTries = 3;

async function startAgain(server: Server): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await server.start();
    } catch (error) {
      if (tries === startTries) throw error;
    }
  }
}

/** A server that is killed, paused or emptied. It may be struck again once it serves again. */
export function serverVictim(name: string, server: Server): Victim {
  return {
    name,
    async strike(harm) {
      switch (harm) {
        case 'kill':
          return server.kill();
        case 'pause':
          return server.pause();
        case 'empty':
          return server.empty?.();
        case 'stop':
        case 'cut':
        case 'hang':
          throw new RangeError(`a server knows no ${harm}`);
        default:
          harm satisfies never;
      }
    },
    async heal(harm) {
      if (harm === 'kill') await startAgain(server);
      if (harm === 'pause') server.resume();
    },
  };
}
