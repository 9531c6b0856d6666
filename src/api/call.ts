import type { CreateTaskRequest, CreateTaskResponse, GetTaskRequest, GetTaskResponse, ListTasksRequest, ListTasksResponse,
  CancelTaskRequest, CancelTaskResponse, WatchTasksRequest, WatchTasksResponse } from '../gen/lehr/v1/task_service.ts';
import type { ListImagesRequest, ListImagesResponse, GetImageRequest, GetImageResponse, UpdateImageRequest, UpdateImageResponse,
  DeleteImageRequest, DeleteImageResponse, ReadImageRequest, ReadImageResponse } from '../gen/lehr/v1/image_service.ts';
import type { ListEventsRequest, ListEventsResponse, StreamEventsRequest, StreamEventsResponse, VerifyEventsRequest,
  VerifyEventsResponse } from '../gen/lehr/v1/event_service.ts';

/** Who calls, and for how long. */
export interface Call {
  /** The caller's tenant; `default` where the server runs without auth. */
  readonly owner: string;
  /** Aborts when the caller hangs up, its deadline passes, or the server stops. */
  readonly signal: AbortSignal;
}

type Unary<Request, Response> = (request: Request, call: Call) => Promise<Response>;
type Streaming<Request, Response> = (request: Request, call: Call) => AsyncIterable<Response>;

/** The methods of `lehr.v1.TaskService`; refusals are thrown as `ApiError`. One implementation serves every door. */
export interface TaskMethods {
  readonly createTask: Unary<CreateTaskRequest, CreateTaskResponse>;
  readonly getTask: Unary<GetTaskRequest, GetTaskResponse>;
  readonly listTasks: Unary<ListTasksRequest, ListTasksResponse>;
  readonly cancelTask: Unary<CancelTaskRequest, CancelTaskResponse>;
  readonly watchTasks: Streaming<WatchTasksRequest, WatchTasksResponse>;
}

/** The methods of `lehr.v1.ImageService`. */
export interface ImageMethods {
  readonly listImages: Unary<ListImagesRequest, ListImagesResponse>;
  readonly getImage: Unary<GetImageRequest, GetImageResponse>;
  readonly updateImage: Unary<UpdateImageRequest, UpdateImageResponse>;
  readonly deleteImage: Unary<DeleteImageRequest, DeleteImageResponse>;
  readonly readImage: Streaming<ReadImageRequest, ReadImageResponse>;
}

/** The methods of `lehr.v1.EventService`. */
export interface EventMethods {
  readonly listEvents: Unary<ListEventsRequest, ListEventsResponse>;
  readonly streamEvents: Streaming<StreamEventsRequest, StreamEventsResponse>;
  readonly verifyEvents: Unary<VerifyEventsRequest, VerifyEventsResponse>;
}

/** The whole API. */
export interface Services {
  readonly tasks: TaskMethods;
  readonly images: ImageMethods;
  readonly events: EventMethods;
}
