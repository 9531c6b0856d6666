import type { Victim } from './victim.ts';

/** A proxy that stands between two processes. */
export interface Link {
  cut(): Promise<void>;
  hang(): void;
  resume(): Promise<void>;
}

/** A connection that is cut or hangs. */
export function linkVictim(name: string, link: Link): Victim {
  return {
    name,
    async strike(harm) {
      switch (harm) {
        case 'cut':
          return link.cut();
        case 'hang':
          return link.hang();
        case 'kill':
        case 'stop':
        case 'pause':
        case 'empty':
          throw new RangeError(`a link knows no ${harm}`);
        default:
          harm satisfies never;
      }
    },
    heal: () => link.resume(),
  };
}
