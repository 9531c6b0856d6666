import type { ListEventsRequest, ListEventsResponse, StreamEventsRequest, StreamEventsResponse, VerifyEventsRequest,
  VerifyEventsResponse } from '../gen/lehr/v1/event_service.ts';
import type { DeleteImageRequest, DeleteImageResponse, GetImageRequest, GetImageResponse, ListImagesRequest, ListImagesResponse,
  ReadImageRequest, ReadImageResponse, UpdateImageRequest, UpdateImageResponse } from '../gen/lehr/v1/image_service.ts';
import type { CancelTaskRequest, CancelTaskResponse, CreateTaskRequest, CreateTaskResponse, GetTaskRequest, GetTaskResponse,
  ListTasksRequest, ListTasksResponse, WatchTasksRequest, WatchTasksResponse } from '../gen/lehr/v1/task_service.ts';

type Unary<Request, Response> = (request: Request, signal: AbortSignal) => Promise<Response>;
type Streaming<Request, Response> = (request: Request, signal: AbortSignal) => AsyncIterable<Response>;

/**
 * The server as the commands see it. Every failure is thrown as `CommandError`; when `signal` aborts, its reason is
 * thrown. Commands depend on this and not on gRPC, which takes a while to load and is not needed for `--help`.
 */
export interface Api {
  readonly createTask: Unary<CreateTaskRequest, CreateTaskResponse>;
  readonly getTask: Unary<GetTaskRequest, GetTaskResponse>;
  readonly listTasks: Unary<ListTasksRequest, ListTasksResponse>;
  readonly cancelTask: Unary<CancelTaskRequest, CancelTaskResponse>;
  readonly watchTasks: Streaming<WatchTasksRequest, WatchTasksResponse>;
  readonly listImages: Unary<ListImagesRequest, ListImagesResponse>;
  readonly getImage: Unary<GetImageRequest, GetImageResponse>;
  readonly updateImage: Unary<UpdateImageRequest, UpdateImageResponse>;
  readonly deleteImage: Unary<DeleteImageRequest, DeleteImageResponse>;
  readonly readImage: Streaming<ReadImageRequest, ReadImageResponse>;
  readonly listEvents: Unary<ListEventsRequest, ListEventsResponse>;
  readonly streamEvents: Streaming<StreamEventsRequest, StreamEventsResponse>;
  readonly verifyEvents: Unary<VerifyEventsRequest, VerifyEventsResponse>;
}
