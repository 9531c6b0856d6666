import { setTimeout as sleep } from 'node:timers/promises';

import { connectApi } from '../../acceptance/harness/api.ts';
import type { Api } from '../../acceptance/harness/api.ts';
import { startProcess } from '../../acceptance/harness/lehr-process.ts';
import type { Exit, LehrProcess } from '../../acceptance/harness/lehr-process.ts';
import { serveArgs } from '../../acceptance/harness/lehr-server.ts';
import type { Settings } from '../../acceptance/harness/lehr-server.ts';
import type { Ledger } from '../ledger.ts';
import { deadlineOfCalls } from './deadline-of-calls.ts';
import { residentBytes } from './resident-bytes.ts';

const readyLine = /lehr is ready: gRPC on (\S+), HTTP on (http:\/\/\S+)\n/;

/** A node that ends by itself is started again after so long, as a service manager would. */
const restartAfterMs = 1_000;

/** A node that is asked to stop has so long: what is on its way to a broker that does not answer is given up after 25 s. */
const stopLimitMs = 45_000;

/** Between two looks whether a node is ready. */
const lookEveryMs = 50;

/** So many of a node's last lines are evidence of why it ended. */
const lastLines = 10;

/** One life of a node. */
interface Life {
  readonly process: LehrProcess;
  /** Whether its end is our doing. */
  isEndWanted: boolean;
  /** Missing until it is ready, and when it has ended. */
  doors: { readonly api: Api; readonly httpUrl: string } | undefined;
}

/** One node: a process of `lehr serve` on a data folder of its own that is killed, paused and started again. */
export class ChaosNode {
  readonly name: string;
  readonly folder: string;
  /** The most memory that it had resident in any of its lives, in bytes. */
  peakBytes = 0;
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #outputs: string[] = [];
  #life: Life | undefined;
  #isRetired = false;

  constructor(name: string, folder: string, settings: Settings, ledger: Ledger) {
    this.name = name;
    this.folder = folder;
    this.#settings = settings;
    this.#ledger = ledger;
  }

  /** Its API while it is ready; it may be paused all the same. */
  get api(): Api | undefined {
    return this.#life?.doors?.api;
  }

  /** `http://host:port` while it is ready. */
  get httpUrl(): string | undefined {
    return this.#life?.doors?.httpUrl;
  }

  /** Everything that its lives have printed. */
  get output(): string {
    const { process } = this.#life ?? {};
    return [...this.#outputs, ...(process === undefined ? [] : [textOf(process)])].join('--- started again ---\n');
  }

  /** Starts its process, unless it runs or is retired; it is ready some time later. */
  start(): void {
    if (this.#life !== undefined || this.#isRetired) return;
    const life: Life = { process: startProcess(serveArgs(this.folder, this.#settings)), isEndWanted: false, doors: undefined };
    this.#life = life;
    void life.process.printed(readyLine).then(([, grpcAddress = '', httpUrl = '']) => {
      const { api, close } = connectApi(grpcAddress, { interceptors: [deadlineOfCalls] });
      life.doors = { api, httpUrl };
      this.#ledger.note(`${this.name} is ready`);
      void life.process.ended.then(close);
    }, () => undefined);
    void life.process.ended.then((exit) => { this.#onEnd(life, exit); });
  }

  /** Waits until it is ready; says whether that was in time. */
  async ready(limitMs: number): Promise<boolean> {
    for (const endMs = performance.now() + limitMs; this.api === undefined && performance.now() < endMs;) await sleep(lookEveryMs);
    return this.api !== undefined;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM. A node that does not end in time is killed; that, and another code than 0, breaks a rule. */
  async stop(): Promise<void> {
    const { process, doors } = this.#life ?? {};
    if (process === undefined) return;
    const askedMs = performance.now();
    const timer = setTimeout(() => void process.child.kill('SIGKILL'), stopLimitMs);
    const exit = await this.#end('SIGTERM');
    clearTimeout(timer);
    this.#ledger.note(`${this.name} has stopped within ${((performance.now() - askedMs) / 1_000).toFixed(1)} s`);
    if (exit?.code === 0 || (doors === undefined && exit?.signal !== 'SIGKILL')) return;
    this.#violate('a node that is asked to stop stops', `${this.name} ended with ${describe(exit)}; after ${stopLimitMs} ms it is killed`);
  }

  /** Kills it for good. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.kill();
  }

  /** SIGSTOP: it keeps its connections and does nothing. */
  pause(): void {
    this.#life?.process.child.kill('SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    this.#life?.process.child.kill('SIGCONT');
  }

  /** Looks how much memory its process has resident. */
  sampleMemory(): void {
    const { pid } = this.#life?.process.child ?? {};
    if (pid !== undefined) this.peakBytes = Math.max(this.peakBytes, residentBytes(pid));
  }

  async #end(signal: NodeJS.Signals): Promise<Exit | undefined> {
    const life = this.#life;
    if (life === undefined) return undefined;
    life.isEndWanted = true;
    life.doors = undefined;
    life.process.child.kill(signal);
    return life.process.ended;
  }

  #onEnd(life: Life, exit: Exit): void {
    const wasReady = life.doors !== undefined;
    this.#outputs.push(textOf(life.process));
    this.#life = undefined;
    if (life.isEndWanted) return;
    const how = `${this.name} ended with ${describe(exit)}${wasReady ? '' : ' before it was ready'}`;
    this.#ledger.note(`${how}: ${this.#lastLines().at(-1) ?? ''}`);
    this.#ledger.count(wasReady ? 'node ended by itself' : 'node did not start');
    if (wasReady) this.#violate('no node ends by itself', how);
    void sleep(restartAfterMs).then(() => { this.start(); });
  }

  #violate(rule: string, detail: string): void {
    this.#ledger.violate(rule, detail, this.#lastLines());
  }

  #lastLines(): readonly string[] {
    return (this.#outputs.at(-1) ?? '').trimEnd().split('\n').slice(-lastLines);
  }
}

function textOf({ stdout, stderr }: LehrProcess): string {
  return stdout() + stderr();
}

function describe(exit: Exit | undefined): string {
  return String(exit?.code ?? exit?.signal);
}
