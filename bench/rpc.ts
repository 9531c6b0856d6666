import { credentials, Client, type ServiceError } from '@grpc/grpc-js';
import { TaskServiceClient } from '../src/gen/lehr/v1/task_service.ts';
import type { CreateTaskRequest, WatchTasksResponse } from '../src/gen/lehr/v1/task_service.ts';
import { ImageServiceClient } from '../src/gen/lehr/v1/image_service.ts';
import { emptyMethod } from './empty-server.ts';

type Callback<T> = (error: ServiceError | null, response: T) => void;

/** A callback call as a promise. */
export function answered<T>(start: (callback: Callback<T>) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, response) => { if (error === null) resolve(response); else reject(error); });
  });
}

/** A client of the task service. */
export function taskClient(address: string): TaskServiceClient {
  return new TaskServiceClient(address, credentials.createInsecure());
}

/** Calls one method again and again with the same bytes, and does not decode the answers: what is measured is the server. */
export function bytesCaller(
  address: string, path: string, request: Uint8Array,
): { call: () => Promise<Buffer | undefined>; close: () => void } {
  const client = new Client(address, credentials.createInsecure());
  const bytes = Buffer.from(request);
  const { requestSerialize, responseDeserialize } = emptyMethod;
  return {
    call: () => answered((callback: Callback<Buffer | undefined>) =>
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, bytes, callback)),
    close: () => { client.close(); },
  };
}

/** A request to import `sourceUri`. */
export function importRequest(sourceUri: string): CreateTaskRequest {
  return {
    spec: {
      kind: {
        $case: 'importImage',
        value: {
          sourceUri, sourceFormat: 'DISK_FORMAT_UNSPECIFIED', expectedDigest: '', storeFormat: 'DISK_FORMAT_UNSPECIFIED',
          image: { name: 'bench', tags: [], properties: {} }, credential: '',
        },
      },
    },
    labels: {}, requestId: '', ttl: undefined, validateOnly: false,
  };
}

/** A client of the image service. */
export function imageClient(address: string): ImageServiceClient {
  return new ImageServiceClient(address, credentials.createInsecure());
}

/** Resolves when a task has ended, by watching it. */
export async function ended(client: TaskServiceClient, id: string): Promise<void> {
  const watch = client.watchTasks({ filter: '', resumeToken: '' });
  try {
    for await (const { message } of watch as AsyncIterable<WatchTasksResponse>) {
      if (message?.$case !== 'snapshot' && message?.$case !== 'change') continue;
      if (message.value.id === id && message.value.endTime !== undefined) return;
    }
  } finally {
    watch.on('error', () => undefined);
    watch.cancel();
  }
}
