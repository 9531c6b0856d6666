import { credentials } from '@grpc/grpc-js';
import type { AttemptStarted } from '../../src/gen/lehr/v1/event.ts';
import { EventServiceClient, type StreamEventsResponse } from '../../src/gen/lehr/v1/event_service.ts';

/** Resolves when the node at `address` tells that this attempt of the task has started. */
export async function awaitAttempt(address: string, taskId: string, attempt: number): Promise<AttemptStarted> {
  const client = new EventServiceClient(address, credentials.createInsecure());
  const events = client.streamEvents({ fromToken: '', follow: true, subjectPrefix: `tasks/${taskId}` });
  try {
    for await (const { event } of events as AsyncIterable<StreamEventsResponse>) {
      if (event?.payload?.$case === 'attemptStarted' && event.payload.value.attempt === attempt) return event.payload.value;
    }
    throw new Error('the stream of events has ended');
  } finally {
    events.on('error', () => undefined);
    events.cancel();
    client.close();
  }
}
