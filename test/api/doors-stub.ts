import type { Call, Services } from '../../src/api/call.ts';
import type { DoorLogger } from '../../src/api/errors/incidents.ts';
import { Image } from '../../src/gen/lehr/v1/image.ts';
import { Task } from '../../src/gen/lehr/v1/task.ts';

type Overrides = { readonly [Service in keyof Services]?: Partial<Services[Service]> };

async function* none(): AsyncGenerator<never> {
  // A stream without messages.
}

/** Services that answer with next to nothing, except for the methods that a test brings. */
export function stubServices(overrides: Overrides = {}): Services {
  return {
    tasks: {
      createTask: async ({ spec, labels }) => ({ task: Task.create({ id: 'new', spec, labels }), readToken: 'r1', preview: undefined }),
      getTask: async ({ id }) => ({ task: Task.create({ id, state: 'STATE_RUNNING', revision: 7n }) }),
      listTasks: async () => ({ tasks: [], nextPageToken: '' }),
      cancelTask: async ({ id }) => ({ task: Task.create({ id }), readToken: 'r2' }),
      watchTasks: none,
      ...overrides.tasks,
    },
    images: {
      listImages: async () => ({ images: [], nextPageToken: '' }),
      getImage: async ({ id }) => ({ image: Image.create({ id }) }),
      updateImage: async ({ image }) => ({ image, readToken: 'r3' }),
      deleteImage: async ({ id }) => ({ image: Image.create({ id }), readToken: 'r4' }),
      readImage: none,
      ...overrides.images,
    },
    events: {
      listEvents: async () => ({ events: [], nextPageToken: '' }),
      streamEvents: none,
      verifyEvents: async () => ({ events: 0n, streams: 0n, faults: [] }),
      ...overrides.events,
    },
  };
}

/** What a logger was given. */
export interface LogEntry {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

/** A logger that keeps what it was given. */
export function keptLog(): DoorLogger & { readonly entries: LogEntry[] } {
  const entries: LogEntry[] = [];
  const keep = (level: string) => (fields: object, message: string): void => void entries.push({ level, fields, message });
  return { entries, error: keep('error'), warn: keep('warn') };
}

/** A promise that resolves when `signal` aborts, with its reason. */
export function aborted({ signal }: Call): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}
