import type { Route } from './exchange.ts';
import { send, sendJson } from './send.ts';

/** What the routes for operators say. */
export interface PlainOptions {
  /** Why the server is not ready yet, in words for a person; empty when it is. */
  readonly readiness: () => readonly string[] | Promise<readonly string[]>;
  /** The metrics as a scraper wants them. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

const doors = `Lehr: carries VM images into a cloud as tasks.

POST /lehr.v1.TaskService/CreateTask   Connect, JSON or binary; gRPC-Web; likewise all methods of
                                       lehr.v1.TaskService, ImageService and EventService
GET  /lehr.v1.TaskService/GetTask      reads by GET, with ?encoding=json&message={"id":"..."}
GET  /images/{id}/data                 the bytes of an image; HEAD, Range and If-None-Match work
GET  /healthz  /readyz  /metrics       for operators

gRPC has a port of its own, with reflection and health.
`;

/** `/`, `/healthz`, `/readyz` and `/metrics`. */
export function plainRoutes({ readiness, metrics }: PlainOptions): readonly Route[] {
  return [
    get('/', (exchange) => send(exchange, { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: doors })),
    get('/healthz', (exchange) => sendJson(exchange, 200, { status: 'ok' })),
    get('/readyz', async (exchange) => {
      const reasons = await readiness();
      if (reasons.length === 0) sendJson(exchange, 200, { status: 'ready' });
      else sendJson(exchange, 503, { status: 'not ready', reasons }, { 'retry-after': '1' });
    }),
    get('/metrics', async (exchange) => {
      const { contentType, text } = await metrics();
      send(exchange, { status: 200, headers: { 'content-type': contentType }, body: text });
    }),
  ];
}

const get = (path: string, answer: Route['answer']): Route => ({
  takes: (candidate) => candidate === path,
  methods: ['GET', 'HEAD'],
  answer,
});
