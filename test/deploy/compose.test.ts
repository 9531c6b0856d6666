import { spawnSync } from 'node:child_process';

import test from 'ava';

import { loadConfig } from '../../src/config.ts';
import { textOf } from '../docs/tables.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { execForm, readDockerfile } from './read-dockerfile.ts';
import { brokerProperties, readCompose } from './read-compose.ts';

const { services, volumes } = readCompose();
const { kafka, nats, ...nodes } = services;
if (kafka === undefined || nats === undefined) throw new Error('deploy/compose.yaml has no kafka or no nats');

const instructions = readDockerfile(textOf('deploy/Dockerfile'));
const ofImage = (name: string): string => instructions.filter((one) => one.name === name).at(-1)?.text ?? '';
const imageEnvironment = Object.fromEntries(ofImage('ENV').split(' ').map((pair) => pair.split('=')) as [string, string][]);

const configs = Object.values(nodes)
  .map(({ environment }) => loadConfig([], { ...imageEnvironment, ...environment } as Record<string, string>));
const properties = brokerProperties(kafka);
const natsFlag = (name: string): string => nats.command?.[nats.command.indexOf(name) + 1] ?? '';

/** `host:port` of each `NAME://host:port`, by name. */
const listeners = Object.fromEntries((properties['listeners'] ?? '').split(',').map((one) => one.split('://')) as [string, string][]);

test('two nodes are configured by settings that there are, each with ports of its own', (t) => {
  t.deepEqual(Object.keys(nodes), ['node-1', 'node-2']);
  t.deepEqual(configs.map(({ log, roles }) => [log, roles]), [['kafka', ['api', 'worker']], ['kafka', ['api', 'worker']]]);
  for (const node of Object.values(nodes)) for (const value of Object.values(node.environment ?? {})) t.is(typeof value, 'string');
});

test('the nodes reach the Kafka and the NATS of the same file, and no port is taken twice', (t) => {
  for (const config of configs) {
    t.deepEqual(config['kafka-brokers'], [listeners['PLAINTEXT'] ?? '']);
    t.deepEqual(config['nats-servers'], [`${natsFlag('--addr')}:${natsFlag('--port')}`]);
  }
  t.is(properties['advertised.listeners'], `PLAINTEXT://${listeners['PLAINTEXT'] ?? ''}`);
  t.is(properties['controller.quorum.voters'], `${properties['node.id'] ?? ''}@${listeners['CONTROLLER'] ?? ''}`);
  const ports = [
    ...configs.flatMap((config) => [config['http-port'], config['grpc-port']]),
    ...Object.values(listeners).map((address) => Number(address.split(':')[1])),
    Number(natsFlag('--port')), Number(natsFlag('--http_port')),
  ];
  t.deepEqual([...new Set(ports)], ports);
  const [, said = ''] = /^# {3}(node-1 HTTP.*)$/m.exec(textOf('deploy/compose.yaml')) ?? [];
  t.deepEqual([...said.matchAll(/\b\d{4,5}\b/g)].map(([port]) => Number(port)), ports);
});

test('nothing listens beyond the machine: everything is on its loopback', (t) => {
  t.deepEqual(Object.values(services).map(({ network_mode: mode }) => mode), ['host', 'host', 'host', 'host']);
  t.deepEqual(configs.map(({ listen }) => listen), ['127.0.0.1', '127.0.0.1']);
  const hosts = [...Object.values(listeners).map((address) => address.split(':')[0]), natsFlag('--addr')];
  t.deepEqual([...new Set(hosts)], ['127.0.0.1']);
});

test('images have a tag that is not latest, and the nodes are built from this repository', (t) => {
  for (const [name, { image, build }] of Object.entries(services)) {
    t.regex(image, /^[a-z/]+:\d+\.\d+/, name);
    t.deepEqual(build, name in nodes ? { context: '..', dockerfile: 'deploy/Dockerfile' } : undefined, name);
  }
  t.regex(kafka.image, /^apache\/kafka:4\.1\./);
});

test('the nodes share the store and nothing else, and every volume is declared and used', (t) => {
  const [dataFolder, storeFolder] = execForm(ofImage('VOLUME'));
  t.deepEqual(Object.entries(nodes).map(([name, node]) => [name, node.volumes]),
    Object.keys(nodes).map((name) => [name, [`${name}:${dataFolder ?? ''}`, `store:${storeFolder ?? ''}`]]));
  const used = Object.values(services).flatMap((service) => service.volumes ?? []).map((volume) => volume.split(':')[0] ?? '');
  t.deepEqual([...new Set(used)].toSorted(), Object.keys(volumes).toSorted());
  t.true(kafka.volumes?.includes(`kafka:${properties['log.dirs'] ?? ''}`));
  t.true(nats.volumes?.includes(`nats:${natsFlag('--store_dir')}`));
});

test('nodes start once Kafka and NATS are healthy', (t) => {
  for (const node of Object.values(nodes)) {
    t.deepEqual(node.depends_on, { kafka: { condition: 'service_healthy' }, nats: { condition: 'service_healthy' } });
  }
  t.true(kafka.healthcheck?.test.at(-1)?.endsWith((listeners['PLAINTEXT'] ?? '').replace(':', '/')));
  t.is(nats.healthcheck?.test.at(-1), `http://127.0.0.1:${natsFlag('--http_port')}/healthz`);
});

/** Programs that hold a compose file against its schema without an engine; the older one is what Debian has. */
const checkers = [['docker', 'compose'], ['docker-compose']] as const;

if (hasTool('docker-compose')) {
  test('docker compose takes deploy/compose.yaml', (t) => {
    const [program = '', ...args] = checkers.find(([name, ...rest]) => spawnSync(name, [...rest, 'version']).status === 0) ?? [];
    // The schema of Debian's version does not know the name of the project yet.
    const input = textOf('deploy/compose.yaml').replace(/^name: .*$/m, '');
    const check = (text: string) => spawnSync(program, [...args, '-f', '-', 'config', '-q'], { input: text, encoding: 'utf8', timeout: 60_000 });
    const { status, stderr } = check(input);
    t.deepEqual([status, stderr], [0, '']);
    t.not(check(input.replace(/^ {2}init: /m, '  initial: ')).status, 0, 'it takes anything');
  });
}
