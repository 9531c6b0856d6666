import { ApiError } from './api-error.ts';
import type { Services } from './call.ts';

/** Services that can be given to the doors before the real ones can answer: `services` gives those, or throws the refusal. */
export function gateServices(services: () => Services): Services {
  return {
    tasks: {
      createTask: (request, call) => services().tasks.createTask(request, call),
      getTask: (request, call) => services().tasks.getTask(request, call),
      listTasks: (request, call) => services().tasks.listTasks(request, call),
      cancelTask: (request, call) => services().tasks.cancelTask(request, call),
      watchTasks: (request, call) => services().tasks.watchTasks(request, call),
    },
    images: {
      listImages: (request, call) => services().images.listImages(request, call),
      getImage: (request, call) => services().images.getImage(request, call),
      updateImage: (request, call) => services().images.updateImage(request, call),
      deleteImage: (request, call) => services().images.deleteImage(request, call),
      readImage: (request, call) => services().images.readImage(request, call),
    },
    events: {
      listEvents: (request, call) => services().events.listEvents(request, call),
      streamEvents: (request, call) => services().events.streamEvents(request, call),
      verifyEvents: (request, call) => services().events.verifyEvents(request, call),
    },
  };
}

/** The refusal of a server that has not caught up with its log. */
export function notReady(): ApiError {
  return new ApiError('UNAVAILABLE', 'NOT_READY', 'This server is still reading its log. Try again in a moment; /readyz tells when it is ready.');
}

/** The refusal of a server that only works on tasks. */
export function apiRoleMissing(): ApiError {
  return new ApiError('UNAVAILABLE', 'API_ROLE_MISSING', 'This server has not the role api: it works on tasks and answers no calls. Ask another one.');
}
