import { join } from 'node:path';
import { CreateTaskRequest, CreateTaskResponse } from '../../src/gen/lehr/v1/task_service.ts';
import { closedLoop, type Load } from '../closed-loop.ts';
import { emptyMethod } from '../empty-server.ts';
import { startReady } from '../processes.ts';
import type { Figure } from '../report.ts';
import { bytesCaller, importRequest } from '../rpc.ts';
import { startBenchCluster } from './bench-cluster.ts';

const callers = 64;
const seconds = 5;
const none = new Uint8Array();

/** CreateTask over gRPC, durable in Kafka, beside an empty grpc-js call and the log by itself; accepting alone: `workers` is 0. */
export async function* benchClusterAccepting(folder: string): AsyncGenerator<Figure> {
  const cluster = await startBenchCluster(join(folder, 'cluster-accepting'));
  try {
    const emptyServer = await startReady(process.execPath, [join(import.meta.dirname, '../empty-server.ts')]);
    const empty = bytesCaller(emptyServer.line, emptyMethod.path, none);
    const before = await closedLoop(callers, seconds, empty.call);
    const loadOf = async (program: string, ...more: readonly string[]): Promise<Load> => {
      const brokers = cluster.kafka.brokers.join(',');
      const running = await startReady(process.execPath, [
        '--disable-warning=TimeoutNegativeWarning', join(import.meta.dirname, program), brokers, ...more, String(callers), String(seconds),
      ]);
      await running.stop();
      return JSON.parse(running.line) as Load;
    };
    // Once to warm up Java, which compiles what is called often.
    await loadOf('bare-kafkajs.ts');
    const kafkajs = await loadOf('bare-kafkajs.ts');
    const log = await loadOf('log-path.ts', cluster.dataDir('log-path'));

    const lehr = await cluster.startNode('node-1', { workers: '0' });
    const request = CreateTaskRequest.encode(importRequest('http://127.0.0.1:9/disk.qcow2')).finish();
    const creating = bytesCaller(lehr.grpc, '/lehr.v1.TaskService/CreateTask', request);
    let last: Buffer | undefined;
    const call = async (): Promise<void> => { last = await creating.call(); };
    const create = await closedLoop(callers, seconds, call);
    const alone = await closedLoop(1, seconds, call, 1);
    if (CreateTaskResponse.decode(last ?? none).task?.state !== 'STATE_PENDING') throw new Error('CreateTask did not answer with a task');
    creating.close();
    await lehr.stop();
    const after = await closedLoop(callers, seconds, empty.call);
    empty.close();
    await emptyServer.stop();

    const emptyPerSecond = (before.perSecond + after.perSecond) / 2;
    const emptyP99Ms = (before.p99Ms + after.p99Ms) / 2;
    const versus = 'an empty grpc-js call';
    yield { name: `empty grpc-js call, ${callers} callers`, value: emptyPerSecond, unit: 'calls/s', versus: '', ratio: undefined };
    yield { name: 'empty grpc-js call, p99', value: emptyP99Ms, unit: 'ms', versus: '', ratio: undefined };
    yield { name: `kafkajs by itself: send and read back, ${callers} callers`, value: kafkajs.perSecond, unit: 'records/s', versus: '', ratio: undefined };
    yield { name: 'kafkajs by itself, p99', value: kafkajs.p99Ms, unit: 'ms', versus: '', ratio: undefined };
    const ratio = log.perSecond / kafkajs.perSecond;
    yield { name: `append to the log alone, ${callers} callers`, value: log.perSecond, unit: 'records/s', versus: 'kafkajs by itself', ratio };
    yield { name: 'append to the log alone, p99', value: log.p99Ms, unit: 'ms', versus: '', ratio: undefined };
    yield { name: `CreateTask on Kafka, ${callers} callers`, value: create.perSecond, unit: 'calls/s', versus, ratio: create.perSecond / emptyPerSecond };
    yield { name: 'CreateTask on Kafka, p50', value: create.p50Ms, unit: 'ms', versus: '', ratio: undefined };
    yield { name: 'CreateTask on Kafka, p99', value: create.p99Ms, unit: 'ms', versus: 'the p99 of the empty call', ratio: create.p99Ms / emptyP99Ms };
    yield { name: 'CreateTask on Kafka, one caller, p50', value: alone.p50Ms, unit: 'ms', versus: '', ratio: undefined };
    yield { name: 'CreateTask on Kafka, one caller, p99', value: alone.p99Ms, unit: 'ms', versus: '', ratio: undefined };
  } finally {
    await cluster.stop();
  }
}
