/** The names in NATS of one deployment. */
export interface NatsNames {
  /** The stream that holds the jobs. */
  readonly stream: string;
  /** The durable consumer that all workers share. */
  readonly consumer: string;
  /** Every job's subject. */
  readonly jobs: string;
  readonly progress: string;
  readonly heartbeats: string;
  /** The subject of a task's job. */
  jobOf(taskId: string): string;
  /** The task of a job's subject; undefined where it is none. */
  taskOf(subject: string): string | undefined;
}

/** A task's id, as it may stand in a subject. */
const taskIdForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The names that follow from the topic of the log. Throws, naming the setting, for a topic that no subject can be named after. */
export function natsNames(topic: string): NatsNames {
  if (topic.split('.').includes('')) {
    throw new Error(`kafka-topic: NATS cannot name anything after ${topic}: there must be something before, between and after its dots.`);
  }
  const prefix = `${topic}.jobs.`;
  return {
    stream: topic.replaceAll('.', '-'),
    consumer: 'workers',
    jobs: `${prefix}*`,
    progress: `${topic}.progress`,
    heartbeats: `${topic}.heartbeats`,
    jobOf: (taskId) => prefix + taskId,
    taskOf(subject) {
      const taskId = subject.startsWith(prefix) ? subject.slice(prefix.length) : '';
      return taskIdForm.test(taskId) ? taskId : undefined;
    },
  };
}
