import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parse as parseYaml } from 'yaml';
import type { SettingProblem } from './setting-values.ts';
import { settings, type Config, type SettingName } from './settings.ts';

/** The configuration cannot be used; the message names each setting and what is wrong with it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const names = Object.keys(settings) as SettingName[];

/** Read where it exists, unless `--config` names another file. */
export const defaultConfigFile = 'lehr.yaml';

/**
 * The configuration from flags, then environment variables (`LEHR_HTTP_PORT`), then `lehr.yaml`, then the defaults.
 * Throws `ConfigError` for a setting that is unknown, given twice on the command line, or malformed, wherever it stands.
 */
export function loadConfig(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const flags = readFlags(args, problems);
  const file = readFile(flags.get('config'), problems);
  const environment = readEnvironment(env, problems);
  const config: Record<string, unknown> = {};
  for (const name of names) {
    const [text, origin] = flags.has(name) ? [flags.get(name), `--${name}`]
      : environment.has(name) ? [environment.get(name), environmentName(name)]
      : file.has(name) ? [file.get(name), `${name} in ${flags.get('config') ?? defaultConfigFile}`]
      : [settings[name].fallback, name];
    const value = settings[name].parse(text ?? '');
    if (isProblem(value)) problems.push(`${origin}: "${text ?? ''}" ${value.problem}`);
    else config[name] = value;
  }
  if (problems.length === 0) problems.push(...crossChecks(config as Config));
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return config as Config;
}

/** The environment variable of a setting. */
export function environmentName(name: string): string {
  return `LEHR_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** Variables that the command line client reads; they are no settings of the server. */
const clientVariables = new Set(['LEHR_SERVER', 'LEHR_HTTP_SERVER', 'LEHR_TIMEOUT']);

function readFlags(args: readonly string[], problems: string[]): Map<string, string> {
  const flags = new Map<string, string>();
  for (let index = 0; index < args.length; index += 1) {
    const flag = args[index] ?? '';
    const match = /^--([a-z][a-z-]*)(?:=(.*))?$/s.exec(flag);
    const name = match?.[1];
    if (name === undefined || !(name === 'config' || isSetting(name))) {
      problems.push(`${flag}: no such setting.${nearest(name ?? '')} \`lehr serve --help\` lists all.`);
      // What follows is most likely its value, and no further mistake.
      if (match !== null && match[2] === undefined && args[index + 1]?.startsWith('-') === false) index += 1;
      continue;
    }
    const value = match?.[2] ?? args[index += 1];
    if (value === undefined) problems.push(`--${name}: needs a value`);
    else if (flags.has(name)) problems.push(`--${name}: given twice`);
    else flags.set(name, value);
  }
  return flags;
}

function readEnvironment(env: Readonly<Record<string, string | undefined>>, problems: string[]): Map<string, string> {
  const byVariable = new Map(names.map((name) => [environmentName(name), name]));
  const values = new Map<string, string>();
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('LEHR_') || value === undefined || clientVariables.has(variable)) continue;
    const name = byVariable.get(variable);
    if (name === undefined) problems.push(`${variable}: no such setting.`);
    else values.set(name, value);
  }
  return values;
}

function readFile(path: string | undefined, problems: string[]): Map<string, string> {
  let content: unknown;
  try {
    content = parseYaml(readFileSync(path ?? defaultConfigFile, 'utf8'));
  } catch (cause) {
    if (path === undefined && cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return new Map();
    problems.push(`${path ?? defaultConfigFile}: cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
    return new Map();
  }
  if (content === null) return new Map();
  if (typeof content !== 'object' || Array.isArray(content)) {
    problems.push(`${path ?? defaultConfigFile}: must hold one "name: value" a line`);
    return new Map();
  }
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(content)) {
    if (!isSetting(name)) problems.push(`${name} in ${path ?? defaultConfigFile}: no such setting.${nearest(name)}`);
    else if (Array.isArray(value)) values.set(name, value.map(String).join(','));
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') values.set(name, String(value));
    else problems.push(`${name} in ${path ?? defaultConfigFile}: must be a text, a number or a list`);
  }
  return values;
}

function crossChecks(config: Config): string[] {
  const { listen } = config;
  const problems: string[] = [];
  const isLoopback = listen === 'localhost' || listen === '::1' || (isIP(listen) === 4 && listen.startsWith('127.'));
  if (!isLoopback) problems.push(`listen: "${listen}" is no loopback address, and with auth none everybody who reaches the server may do everything. Use 127.0.0.1, ::1 or localhost`);
  if (config['http-port'] !== 0 && config['http-port'] === config['grpc-port']) problems.push('http-port and grpc-port: must differ');
  return [...problems, ...(config.log === 'kafka' ? clusterChecks(config) : embeddedChecks(config))];
}

function clusterChecks(config: Config): string[] {
  const problems: string[] = [];
  for (const name of ['kafka-brokers', 'nats-servers'] as const) {
    if (config[name].length === 0) problems.push(`${name}: log kafka needs it: addresses such as ${name === 'nats-servers' ? 'nats-1:4222' : 'kafka-1:9092,kafka-2:9092'}`);
  }
  if (config['store-dir'] === '') problems.push('store-dir: log kafka needs it: the folder of images that all nodes share');
  const hasLogin = config['kafka-username'] !== '' && config['kafka-password-file'] !== '';
  if (config['kafka-sasl'] !== 'none' && !hasLogin) problems.push('kafka-sasl: needs kafka-username and kafka-password-file too');
  if (config['kafka-sasl'] === 'none' && (config['kafka-username'] !== '' || config['kafka-password-file'] !== '')) {
    problems.push('kafka-username, kafka-password-file: say nothing without kafka-sasl. Set it to plain, scram-sha-256 or scram-sha-512');
  }
  if ((config['nats-username'] === '') !== (config['nats-password-file'] === '')) problems.push('nats-username and nats-password-file: need each other');
  if (config['nats-username'] !== '' && config['nats-credentials'] !== '') problems.push('nats-credentials and nats-username: one of them is enough');
  for (const system of ['kafka', 'nats'] as const) {
    if ((config[`${system}-tls-cert`] === '') !== (config[`${system}-tls-key`] === '')) problems.push(`${system}-tls-cert and ${system}-tls-key: need each other`);
    const given = (['ca', 'cert'] as const).find((file) => config[`${system}-tls-${file}`] !== '');
    if (config[`${system}-tls`] === 'off' && given !== undefined) problems.push(`${system}-tls-${given}: says nothing without ${system}-tls on`);
  }
  return problems;
}

/** Settings of a cluster that are given without one would be ignored. */
function embeddedChecks(config: Config): string[] {
  const isGiven = (['kafka-brokers', 'nats-servers'] as const).find((name) => config[name].length > 0);
  const problems = isGiven === undefined ? [] : [`${isGiven}: says nothing with log sqlite. Set log to kafka`];
  if (config.roles.length < 2) problems.push('roles: with log sqlite this server is the only one and does everything. Leave roles out, or set log to kafka');
  return problems;
}

/** Not `in`: `constructor` is no setting. */
function isSetting(name: string): name is SettingName {
  return Object.hasOwn(settings, name);
}

function nearest(name: string): string {
  const alike = names.find((known) => known.replaceAll('-', '').includes(name.replaceAll('-', '')) || name.includes(known));
  return name === '' || alike === undefined ? '' : ` Did you mean ${alike}?`;
}

function isProblem(value: unknown): value is SettingProblem {
  return typeof value === 'object' && value !== null && 'problem' in value;
}
