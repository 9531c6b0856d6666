/** Starts servers, says which, and waits to be killed; of abandoned-servers.test.ts. */
import { startKafka } from '../../scripts/servers/start-kafka.ts';
import { startNats } from '../../scripts/servers/start-nats.ts';

const withKafka = process.argv[2] === 'kafka';
const [nats, kafka] = await Promise.all([startNats(), withKafka ? startKafka() : undefined]);
kafka?.nodes[0]?.pause();
console.log(JSON.stringify([nats.pid, ...(kafka?.nodes.map(({ pid }) => pid) ?? [])]));
