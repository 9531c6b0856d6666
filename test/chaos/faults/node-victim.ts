import type { ChaosNode } from '../nodes/chaos-node.ts';
import type { Victim } from './victim.ts';

/** A node that is killed, stopped or paused. It may be struck again as soon as its process runs, ready or not. */
export function nodeVictim(node: ChaosNode): Victim {
  return {
    name: node.name,
    async strike(harm) {
      switch (harm) {
        case 'kill':
          return node.kill();
        case 'stop':
          return node.stop();
        case 'pause':
          return node.pause();
        case 'empty':
        case 'cut':
        case 'hang':
          throw new RangeError(`a node knows no ${harm}`);
        default:
          harm satisfies never;
      }
    },
    async heal(harm) {
      if (harm === 'pause') node.resume();
      else node.start();
    },
  };
}
