import { kafkaSettingsOf } from './compose/kafka-settings-of.ts';
import { loadConfig } from './config.ts';
import { TopicUnreadableError } from './log/kafka/audit/audit-ranges.ts';
import { auditTopic, type TopicAudit } from './log/kafka/audit/audit-topic.ts';
import { storedTopic, type TopicProgress } from './log/kafka/audit/stored-topic.ts';

/** What to verify. */
export interface VerifyTopicOptions {
  /** Settings of the server as flags, `--kafka-brokers` among them. */
  readonly flags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** One stream. Empty: everything. */
  readonly subject: string;
  readonly onProgress: (progress: TopicProgress) => void;
  /** Something worth a line for a person, such as a lost connection. */
  readonly onNote: (text: string) => void;
}

/** What came of it: an audit of the topic, or why there is none, for a person. */
export type VerifiedTopic =
  | { readonly kind: 'audited'; readonly topic: string; readonly audit: TopicAudit }
  | { readonly kind: 'unread'; readonly problem: 'settings' | TopicUnreadableError['kind']; readonly message: string };

/** The name that the brokers see. */
const clientId = 'lehr-verify';

/** What a server of a cluster cannot do without, and an audit can. */
const unused = ['--log', 'kafka', '--nats-servers', '127.0.0.1:4222', '--store-dir', '.'];

/** Audits the topic of a cluster without a node of it. When `signal` aborts, its reason is thrown. */
export async function verifyTopic(options: VerifyTopicOptions, signal: AbortSignal): Promise<VerifiedTopic> {
  const { flags, env, subject, onProgress, onNote } = options;
  let settings;
  let skip;
  try {
    const config = loadConfig([...flags, ...unused], env);
    settings = kafkaSettingsOf(config);
    skip = new Set(config['kafka-skip']);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    return { kind: 'unread', problem: 'settings', message: cause.message };
  }
  ignoreTimersOfKafkajs();
  const log = { debug: ignore, info: ignore, error: ignore, warn: (_: unknown, message: string) => { onNote(message); } };
  try {
    const audit = await auditTopic(storedTopic({ settings, clientId, log, skip, subject, onProgress }, signal));
    return { kind: 'audited', topic: settings.topic, audit };
  } catch (cause) {
    if (!(cause instanceof TopicUnreadableError)) throw cause;
    return { kind: 'unread', problem: cause.kind, message: cause.message };
  }
}

function ignore(): void {
  // What kafkajs says of itself is of no use to an auditor.
}

/** kafkajs sets timers to times that have passed, of which Node 24 warns. Nobody who audits can do anything about it. */
function ignoreTimersOfKafkajs(): void {
  const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void;
  process.emitWarning = (...args: unknown[]): void => {
    if (args[1] !== 'TimeoutNegativeWarning') emitWarning(...args);
  };
}
