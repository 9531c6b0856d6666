import type { Fault } from '../gen/lehr/v1/event_service.ts';
import type { CommandContext } from './command-context.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import { createBarDisplay } from './output/bar-display.ts';
import { styleFor } from './output/style.ts';

/** What an audit of a topic found, as `lehr verify --json` prints it. */
export interface TopicReport {
  readonly events: bigint;
  readonly streams: bigint;
  /** Races that were lost, and copies. */
  readonly voidRecords: bigint;
  /** Messages that `kafka-skip` names. */
  readonly skippedMessages: bigint;
  /** The first ones. */
  readonly faults: readonly Fault[];
}

/** The report, and how many faults there are in all. */
export interface VerifiedTopic {
  readonly report: TopicReport;
  readonly faultCount: bigint;
}

/** The display is drawn anew no more often. */
const drawEveryMs = 100;

/**
 * Audits a topic, with no server; `flags` are settings of the server. Loads the client of Kafka only now, so that no other command
 * does. Throws `CommandError`.
 */
export async function verifyTopic(context: CommandContext, flags: readonly string[], subject: string): Promise<VerifiedTopic> {
  const modules = await import('../verify-topic.ts');
  const display = createDisplay(context);
  let verified;
  try {
    verified = await modules.verifyTopic({
      flags, env: context.output.env, subject, onProgress: display.show, onNote: display.note,
    }, context.signal);
  } finally {
    display.end();
  }
  if (verified.kind === 'unread') throw unreadError(verified.problem, verified.message);
  const { topic, audit: { events, streams, voids, skipped, faults, faultCount } } = verified;
  if (subject !== '' && events === 0n && faultCount === 0n) {
    throw new CommandError(exitCodes.notFound, 'NOT_FOUND', 'STREAM_NOT_FOUND', `there is no stream ${subject} in the topic ${topic}`, {
      hints: ['streams are called tasks/ID and images/ID'],
    });
  }
  const named = faults.map(({ partition, offset, ...fault }) => ({ ...fault, position: `${partition}-${offset}` }));
  return { report: { events, streams, voidRecords: voids, skippedMessages: skipped, faults: named }, faultCount };
}

function unreadError(problem: 'settings' | 'unreachable' | 'missing' | 'refused', message: string): CommandError {
  // The settings have the server's names, and two of them are shorter here.
  const text = message.replaceAll('--kafka-brokers', '--kafka').replaceAll('--kafka-topic', '--topic').replaceAll('\n', '; ');
  switch (problem) {
    case 'settings':
      return new CommandError(exitCodes.usage, 'INVALID_ARGUMENT', 'USAGE', text, { hints: ['lehr verify --help lists the options'] });
    case 'unreachable':
      return new CommandError(exitCodes.unavailable, 'UNAVAILABLE', 'LOG_UNAVAILABLE', text);
    case 'missing':
      return new CommandError(exitCodes.notFound, 'NOT_FOUND', 'TOPIC_NOT_FOUND', text);
    case 'refused':
      return new CommandError(exitCodes.refused, 'PERMISSION_DENIED', 'LOG_REFUSED', text);
    default:
      return problem satisfies never;
  }
}

interface Display {
  readonly show: (progress: { readonly messages: bigint; readonly total: bigint }) => void;
  readonly note: (text: string) => void;
  readonly end: () => void;
}

/** How far the reading is, on stderr where that is a terminal. */
function createDisplay({ output: { stderr, env }, nowMs }: CommandContext): Display {
  if (stderr.isTTY !== true || env['TERM'] === 'dumb') return { show: () => undefined, note: () => undefined, end: () => undefined };
  const bar = createBarDisplay(stderr, styleFor(true, env), false);
  let drawnMs = -Infinity;
  return {
    show: ({ messages, total }) => {
      if (nowMs() - drawnMs < drawEveryMs) return;
      drawnMs = nowMs();
      bar.show({ activity: `reading the topic: ${(messages * 100n) / total}%, ${messages} of ${total} messages` });
    },
    note: bar.note,
    end: bar.end,
  };
}
