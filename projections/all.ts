import { heads } from './heads/apply.ts';
import { history } from './history/apply.ts';
import { images } from './images/apply.ts';
import { tasks } from './tasks/apply.ts';
import { timers } from './timers/apply.ts';
import type { Projection } from '../src/projector/projection.ts';

/** All read models. */
export const projections: readonly Projection[] = [history, heads, tasks, images, timers];
