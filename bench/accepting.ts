import { join } from 'node:path';
import { CreateTaskRequest, CreateTaskResponse, GetTaskRequest } from '../src/gen/lehr/v1/task_service.ts';
import { closedLoop } from './closed-loop.ts';
import { emptyMethod } from './empty-server.ts';
import { startLehr } from './lehr-server.ts';
import { startReady } from './processes.ts';
import type { Figure } from './report.ts';
import { bytesCaller, importRequest } from './rpc.ts';

const callers = 64;
const seconds = 5;
const none = new Uint8Array();

/** CreateTask (durable) and GetTask over gRPC, beside an empty grpc-js call; accepting alone: `workers` is 0. */
export async function* benchAccepting(folder: string): AsyncGenerator<Figure> {
  const emptyServer = await startReady(process.execPath, [join(import.meta.dirname, 'empty-server.ts')]);
  const empty = bytesCaller(emptyServer.line, emptyMethod.path, none);
  const before = await closedLoop(callers, seconds, empty.call);
  const lehr = await startLehr(join(folder, 'accepting'), { workers: '0' });
  const request = CreateTaskRequest.encode(importRequest('http://127.0.0.1:9/disk.qcow2')).finish();
  const creating = bytesCaller(lehr.grpc, '/lehr.v1.TaskService/CreateTask', request);
  let last: Buffer | undefined;
  const create = await closedLoop(callers, seconds, async () => { last = await creating.call(); });
  const { task } = CreateTaskResponse.decode(last ?? none);
  if (task?.state !== 'STATE_PENDING') throw new Error('CreateTask did not answer with a task');
  const getting = bytesCaller(lehr.grpc, '/lehr.v1.TaskService/GetTask', GetTaskRequest.encode({ id: task.id, readToken: '' }).finish());
  const get = await closedLoop(callers, seconds, getting.call);
  creating.close();
  getting.close();
  await lehr.stop();
  const after = await closedLoop(callers, seconds, empty.call);
  empty.close();
  await emptyServer.stop();
  const emptyPerSecond = (before.perSecond + after.perSecond) / 2;
  const emptyP99Ms = (before.p99Ms + after.p99Ms) / 2;
  const versus = 'an empty grpc-js call';
  yield { name: `empty grpc-js call, ${callers} callers`, value: emptyPerSecond, unit: 'calls/s', versus: '', ratio: undefined };
  yield { name: 'empty grpc-js call, p99', value: emptyP99Ms, unit: 'ms', versus: '', ratio: undefined };
  yield { name: `CreateTask durable, ${callers} callers`, value: create.perSecond, unit: 'calls/s', versus, ratio: create.perSecond / emptyPerSecond };
  yield { name: 'CreateTask durable, p99', value: create.p99Ms, unit: 'ms', versus: 'the p99 of the empty call', ratio: create.p99Ms / emptyP99Ms };
  yield { name: `GetTask, ${callers} callers`, value: get.perSecond, unit: 'calls/s', versus, ratio: get.perSecond / emptyPerSecond };
}
