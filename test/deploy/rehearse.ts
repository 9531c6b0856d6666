/**
 * Plays deploy/Dockerfile and deploy/compose.yaml without an engine: `npx node test/deploy/rehearse.ts`. What the Dockerfile copies is
 * copied, its npm commands run, and what compose.yaml would start is started, with its environments and commands, on other
 * ports: a Kafka broker from its jars, nats-server and the two nodes from the files of the image. An image is then imported by
 * the one and read from the other. Only what makes links, folders and users in the image is left out. Takes one to two minutes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { runOrExit } from '../../scripts/run-or-exit.ts';
import { freePorts } from '../../scripts/servers/free-ports.ts';
import { kafkaClassArchive } from '../../scripts/servers/kafka-class-archive.ts';
import { kafkaJars } from '../../scripts/servers/kafka-jars.ts';
import { kafkaJavaArgs } from '../../scripts/servers/kafka-java.ts';
import { createKafkaNode } from '../../scripts/servers/kafka-node.ts';
import { createServerProcess } from '../../scripts/servers/server-process.ts';
import { textOf } from '../docs/tables.ts';
import { brokerProperties, readCompose } from './read-compose.ts';
import { execForm, readDockerfile } from './read-dockerfile.ts';

const root = path.resolve(import.meta.dirname, '../..');
const folder = await mkdtemp(path.join(tmpdir(), 'lehr-rehearsal-'));
process.once('exit', (code) => console.log(code === 0 ? 'the rehearsal went well' : `the rehearsal FAILED; its files are in ${folder}`));

/** The stages of the Dockerfile in folders; gives that of the last one. */
async function build(): Promise<string> {
  const instructions = readDockerfile(textOf('deploy/Dockerfile'));
  const stages = new Map<string, string>();
  let stage = '';
  let workdir = '/';
  for (const { name, text } of instructions) {
    const here = path.join(stage, workdir);
    if (name === 'FROM') {
      const label = / AS (\w+)$/.exec(text)?.[1] ?? 'image';
      stage = path.join(folder, label);
      stages.set(label, stage);
      workdir = '/';
    } else if (name === 'WORKDIR') {
      workdir = text;
      await mkdir(path.join(stage, workdir), { recursive: true });
    } else if (name === 'COPY') {
      const [, from, words = ''] = /^(?:--from=(\w+) )?(.*)$/.exec(text) ?? [];
      const sources = words.split(' ');
      const target = path.join(here, sources.pop() ?? '');
      for (const source of sources) {
        const original = path.join(from === undefined ? root : stages.get(from) ?? '', source);
        await cp(original, words.endsWith('./') ? path.join(target, path.basename(source)) : target, { recursive: true });
      }
    } else if (name === 'RUN' && text.startsWith('npm ')) {
      console.log(`${path.basename(stage)}: ${text}`);
      await runOrExit('sh', ['-c', text], here);
    }
  }
  return stage;
}

/** What compose.yaml names, and what stands for it here. */
async function substitutes(): Promise<(text: string) => string> {
  const names = ['9092', '9093', '4222', '8222', '8080', '50051', '8081', '50052'];
  const ports = await freePorts(names.length);
  const here = names.map((name, index) => [`\\b${name}\\b`, String(ports[index])] as const);
  const folders = [['^/data$', path.join(folder, 'nats')], ['^/var/lib/lehr\\b', path.join(folder, 'volumes')]] as const;
  return (text) => [...here, ...folders].reduce((all, [pattern, substitute]) => all.replaceAll(new RegExp(pattern, 'g'), substitute), text);
}

const image = await build();
const localise = await substitutes();
const { kafka, nats, ...nodes } = readCompose().services;
if (kafka === undefined || nats === undefined) throw new Error('deploy/compose.yaml has no kafka or no nats');

const lib = await kafkaJars();
const java = await kafkaJavaArgs({ lib, classArchive: await kafkaClassArchive(lib), heapMiB: 512, tunedFor: 'start' });
const properties = Object.fromEntries(Object.entries(brokerProperties(kafka)).map(([name, value]) => [name, localise(value)]));
const broker = await createKafkaNode({
  nodeId: Number(properties['node.id']), folder: path.join(folder, 'kafka'), java, properties, formatArgs: [], discard: undefined,
  clusterId: String(kafka.environment?.['CLUSTER_ID']), internalPort: Number(localise('127.0.0.1:9092').split(':')[1]),
});
await broker.start();
console.log('kafka: started with the environment of compose.yaml');
const [natsProgram = '', ...natsArgs] = (nats.command ?? []).map(localise);
const natsServer = createServerProcess({
  name: 'nats-server', command: [natsProgram, ...natsArgs], logFile: path.join(folder, 'nats.log'),
  isReady: async () => (await fetch(localise(nats.healthcheck?.test.at(-1) ?? ''))).ok,
});
await natsServer.start();
console.log('nats: started with the command of compose.yaml, and healthy');

const last = (name: string): string => readDockerfile(textOf('deploy/Dockerfile')).filter((one) => one.name === name).at(-1)?.text ?? '';
const imageEnvironment = Object.fromEntries(last('ENV').split(' ').map((pair) => pair.split('=')) as [string, string][]);
const [program] = execForm(last('ENTRYPOINT'));
const bin = path.join(image, `opt/lehr/bin/${program ?? ''}.js`);

/** Runs `lehr ARGS` of the image to its end and gives what it printed. */
async function lehr(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text; });
  const [code] = await once(child, 'close') as [number | null];
  if (code !== 0) throw new Error(`lehr ${args.join(' ')} ended with ${code ?? 'a signal'}: ${output}`);
  return output;
}

const disk = path.join(folder, 'disk.raw');
await writeFile(disk, Buffer.concat([Buffer.alloc(510), Buffer.from([0x55, 0xaa]), Buffer.alloc(1_048_576)]));

const started = await Promise.all(Object.entries(nodes).map(async ([name, { environment, volumes = [] }]) => {
  const given = { ...imageEnvironment, ...environment } as Record<string, string>;
  const env = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, localise(value)]));
  // A volume of its own for each node, as in the file; the store is the same one.
  const own: Record<string, string> = { ...env, LEHR_DATA_DIR: path.join(folder, 'volumes', volumes[0]?.split(':')[0] ?? '') };
  const child = spawn(process.execPath, [bin, ...execForm(last('CMD')), '--file-roots', folder], {
    cwd: folder, env: { PATH: process.env['PATH'], ...own }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const [line] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => { throw new Error(`${name} ended`); })]) as [Buffer];
  console.log(`${name}: ${line.toString().trim()}`);
  await runOrExit('env', [`LEHR_HTTP_PORT=${own['LEHR_HTTP_PORT'] ?? ''}`, process.execPath, path.join(image, 'opt/lehr/healthcheck.mjs')], folder);
  console.log(`${name}: healthy, says the health check of the image`);
  return { name, child, server: `127.0.0.1:${own['LEHR_GRPC_PORT'] ?? ''}` };
}));

const [one, other] = started;
if (one === undefined || other === undefined) throw new Error('there are no two nodes');
console.log((await lehr(['import', disk, '--name', 'rehearsed', '--wait'], { LEHR_SERVER: one.server })).trim());
const listed = await lehr(['images', 'list', '--name', 'rehearsed'], { LEHR_SERVER: other.server });
if (!listed.includes('rehearsed')) throw new Error(`${other.name} does not list the image: ${listed}`);
console.log(`${other.name}: lists the image that was imported by ${one.name}`);
for (const { name, child } of started) {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = await ended as [number | null];
  if (code !== 0) throw new Error(`${name} did not stop as SIGTERM asks: exit code ${code ?? 'none'}`);
  console.log(`${name}: stopped by SIGTERM, exit code 0`);
}
await Promise.all([broker.kill(), natsServer.kill()]);
await rm(folder, { recursive: true, force: true });
