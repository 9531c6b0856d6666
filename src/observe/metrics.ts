import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { kindOfSpec } from '../domain/task/kind.ts';
import type { TaskState } from '../domain/task/task-state.ts';
import type { AppliedEvent } from '../projector/feed.ts';

/** What metrics ask of the running service when they are read. */
export interface MetricSources {
  readonly runningTasks: () => number;
  readonly openWatches: () => number;
  /** Records that the log holds and the projections do not yet. */
  readonly projectionLag: () => number;
  readonly borrowedSlots: () => number;
  readonly haltedPartitions: () => number;
  readonly unknownTypes: () => number;
  /** Whether the other nodes of the cluster can be heard. */
  readonly isConnected: () => boolean;
}

/** The metrics of one server, in the Prometheus text format. */
export interface Metrics {
  /** Counts what has happened; give it each batch of the feed. `taskOf` finds a task's state. */
  onEvents(events: readonly AppliedEvent[], taskOf: (id: string) => TaskState): void;
  /** A program was started, by its name: `qemu-img`. */
  programStarted(name: string): void;
  /** One append to the log took so long, until it was durable or refused. */
  appended(seconds: number): void;
  /** The text, and its content type. */
  read(): Promise<{ readonly text: string; readonly contentType: string }>;
}

/** Makes the metrics; each is documented in `docs/reference/metrics.md`. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'lehr_' });
  const registers = [registry];
  const accepted = new Counter({ name: 'lehr_tasks_accepted_total', help: 'Tasks accepted.', labelNames: ['kind'], registers });
  const finished = new Counter({ name: 'lehr_tasks_finished_total', help: 'Tasks that ended, by how, and why they failed.', labelNames: ['kind', 'state', 'reason'], registers });
  const attempts = new Counter({ name: 'lehr_attempts_failed_total', help: 'Attempts that failed and were followed by another.', labelNames: ['reason'], registers });
  const bytes = new Counter({ name: 'lehr_stage_bytes_total', help: 'Bytes that stages handled.', labelNames: ['stage'], registers });
  const stages = new Histogram({
    name: 'lehr_stage_seconds', help: 'How long stages took that ended well.', labelNames: ['stage'], registers,
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2, 10, 60, 300, 1_800, 7_200],
  });
  const appends = new Histogram({
    name: 'lehr_log_append_seconds', help: 'How long appends to the log took until they were durable.', registers,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2],
  });
  const programs = new Counter({ name: 'lehr_programs_started_total', help: 'Other programs that were started, the looks at the start of this server included.', labelNames: ['program'], registers });
  const gauge = (name: string, help: string, value: () => number) => new Gauge({ name, help, registers, collect() { this.set(value()); } });
  gauge('lehr_tasks_running', 'Tasks that this server works on now.', sources.runningTasks);
  gauge('lehr_watches_open', 'Open watches.', sources.openWatches);
  gauge('lehr_projection_lag_records', 'Records that the log holds and the projections do not yet.', sources.projectionLag);
  gauge('lehr_byte_slots_borrowed', 'Buffers that hold received bytes.', sources.borrowedSlots);
  gauge('lehr_log_partitions_halted', 'Partitions of the log that this server reads no further, since they hold what is no record.', sources.haltedPartitions);
  gauge('lehr_log_unknown_events', 'Events of types that this server does not know, since it started.', sources.unknownTypes);
  gauge('lehr_nats_connected', '1 while this server is connected to NATS; always 1 without a cluster.', () => Number(sources.isConnected()));

  const finish = (id: string, state: string, reason: string, taskOf: (id: string) => TaskState) => {
    const task = taskOf(id);
    finished.inc({ kind: task.status === 'absent' ? 'import' : kindOfSpec(task.spec), state, reason });
  };

  return {
    programStarted: (program) => { programs.inc({ program }); },
    onEvents(events, taskOf) {
      for (const { id, event: { payload } } of events) {
        switch (payload.$case) {
          case 'taskCreated':
            accepted.inc({ kind: payload.value.spec === undefined ? 'import' : kindOfSpec(payload.value.spec) });
            break;
          case 'stageCompleted': {
            const { stage, duration } = payload.value;
            stages.observe({ stage }, Number(duration?.seconds ?? 0n) + (duration?.nanos ?? 0) / 1e9);
            bytes.inc({ stage }, Number(payload.value.bytes));
            break;
          }
          case 'attemptFailed':
            attempts.inc({ reason: payload.value.failure?.reason ?? '' });
            break;
          case 'taskSucceeded':
            finish(id, 'SUCCEEDED', '', taskOf);
            break;
          case 'taskFailed':
            finish(id, 'FAILED', payload.value.failure?.reason ?? '', taskOf);
            break;
          case 'taskCanceled':
            finish(id, 'CANCELED', '', taskOf);
            break;
          case 'attemptStarted':
          case 'imageStored':
          case 'cancelRequested':
          case 'taskExpired':
          case 'imageRegistered':
          case 'imageUpdated':
          case 'imageDeleted':
            break;
          default:
            payload satisfies never;
        }
      }
    },
    appended(seconds) {
      appends.observe(seconds);
    },
    async read() {
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
  };
}
