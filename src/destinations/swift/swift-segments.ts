import type { EndpointAnswer } from '../../sources/objects/endpoint-exchange.ts';
import type { ObjectAddress } from '../../sources/objects/object-uri.ts';
import { encodePath } from '../../sources/objects/object-uri.ts';
import { etagOf } from '../objects/object-target.ts';
import type { ObjectTarget } from '../objects/object-target.ts';
import { unlessAnswered } from '../objects/adopt-parts.ts';
import type { Earlier, LeftPart } from '../objects/adopt-parts.ts';
import type { Leftovers } from '../objects/object-way.ts';
import type { PartBody } from '../objects/part-body.ts';
import type { Part, SentPart } from '../objects/part-plan.ts';

/** Where the segments of large objects lie: beside the container, as the clients of Swift have it, so that listings do not show them. */
const segmentsContainer = (container: string): string => `${container}_segments`;

/** The names of all segments of a task begin so. */
const taskPrefix = (taskId: string): string => `lehr/${taskId}/`;

/** A listing has at most so many entries, as many as a manifest has segments in a few attempts. */
const listingLimit = 10_000;

/** The segments of one attempt, which no other attempt writes or reads: whoever removes them cannot harm another's object. */
export class SwiftSegments {
  readonly #target: ObjectTarget;
  readonly #taskId: string;
  readonly #prefix: string;
  readonly #begun = new Set<number>();

  constructor(target: ObjectTarget, taskId: string, attempt: number) {
    this.#target = target;
    this.#taskId = taskId;
    this.#prefix = `${taskPrefix(taskId)}${attempt}/`;
  }

  /** Makes their container; one that exists stays as it is. Whoever may not make it may still write into it. */
  async makeContainer(signal: AbortSignal): Promise<void> {
    await this.#target.ask({ method: 'PUT', address: this.#address('') }, [201, 202, 204, 403], signal);
  }

  /** Sends one segment; answers with its ETag. */
  async put(part: Part, body: PartBody, signal: AbortSignal): Promise<string> {
    this.#begun.add(part.number);
    const headers = { 'content-length': String(part.sizeBytes), 'content-type': 'application/octet-stream' };
    return etagOf(await this.#target.ask({ method: 'PUT', address: this.#addressOf(part), headers, body }, [201], signal));
  }

  /** What earlier attempts left. The store copies a segment of it: another attempt's own are not used, since that may remove them. */
  async earlier(signal: AbortSignal): Promise<Earlier> {
    const container = segmentsContainer(this.#target.address.container);
    const left = await listed(this.#target, taskPrefix(this.#taskId), signal).catch(unlessAnswered);
    const parts = new Map((left ?? []).map(({ name, hash, bytes }): [number, LeftPart & { readonly name: string }] => (
      [Number(name.slice(name.lastIndexOf('/') + 1)), { name, etag: hash, sizeBytes: bytes }]
    )));
    return {
      parts,
      adopt: async (part) => {
        this.#begun.add(part.number);
        const source = `/${encodePath(container)}/${encodePath(parts.get(part.number)?.name ?? '')}`;
        const headers = { 'content-length': '0', 'x-copy-from': source };
        return etagOf(await this.#target.ask({ method: 'PUT', address: this.#addressOf(part), headers }, [201], signal));
      },
    };
  }

  /** The manifest of these segments, in which Swift compares size and MD5 of each with its own. */
  manifest(parts: readonly SentPart[]): Buffer {
    return Buffer.from(JSON.stringify(parts.map((part) => {
      const { container, name } = this.#addressOf(part);
      return { path: `/${container}/${name}`, etag: part.md5, size_bytes: part.sizeBytes };
    })));
  }

  /** Removes all that were begun. */
  async remove(signal: AbortSignal): Promise<void> {
    for (const number of this.#begun) {
      await this.#target.ask({ method: 'DELETE', address: this.#addressOf({ number }) }, [200, 204, 404], signal);
    }
  }

  /** Where they are, for an operator who looks for what was left behind. */
  get location(): string {
    const { container, name } = this.#address(this.#prefix);
    return `swift://${encodePath(container)}/${encodePath(name)}`;
  }

  #addressOf({ number }: Pick<Part, 'number'>): ObjectAddress {
    return this.#address(`${this.#prefix}${String(number).padStart(8, '0')}`);
  }

  #address(name: string): ObjectAddress {
    return { kind: 'swift', container: segmentsContainer(this.#target.address.container), name };
  }
}

/**
 * Removes the segments of a task, or of one attempt of it, but for those that the object consists of. Until the task has ended nothing
 * is removed where the object is not seen: it may have been made a moment ago.
 */
export async function removeUnusedSegments(
  { target, taskId, isEnded, attempt }: Pick<Leftovers, 'target' | 'taskId' | 'isEnded'> & { readonly attempt?: number }, signal: AbortSignal,
): Promise<void> {
  const container = segmentsContainer(target.address.container);
  const prefix = attempt === undefined ? taskPrefix(taskId) : `${taskPrefix(taskId)}${attempt}/`;
  const names = (await listed(target, prefix, signal)).map(({ name }) => name);
  if (names.length === 0) return;
  // The newest that any replica has: an object that one of them missed may consist of these segments.
  const head = await target.head(signal, { 'x-newest': 'true' });
  if (head === undefined && !isEnded) return;
  const used = head?.isManifest === true ? await usedBy(target, signal) : new Set<string>();
  for (const name of names.filter((candidate) => !used.has(`/${container}/${candidate}`))) {
    await target.ask({ method: 'DELETE', address: { kind: 'swift', container, name } }, [200, 204, 404], signal);
  }
}

/** An entry of a listing, in the words of Swift. */
interface Listed {
  readonly name: string;
  readonly hash: string;
  readonly bytes: number;
}

async function listed(target: ObjectTarget, prefix: string, signal: AbortSignal): Promise<readonly Listed[]> {
  const address: ObjectAddress = { kind: 'swift', container: segmentsContainer(target.address.container), name: '' };
  const query = { prefix, format: 'json', limit: String(listingLimit) };
  return entriesOf(await target.ask({ method: 'GET', address, query }, [200, 204, 404], signal));
}

async function usedBy(target: ObjectTarget, signal: AbortSignal): Promise<ReadonlySet<string>> {
  return new Set(entriesOf(await target.ask({ method: 'GET', query: { 'multipart-manifest': 'get' }, headers: { 'x-newest': 'true' } }, [200], signal)).map(({ name }) => name));
}

/** The entries of a listing or a manifest. Throws for what is neither: nothing may be removed then. */
function entriesOf({ status, body }: EndpointAnswer): readonly Listed[] {
  return status === 200 ? JSON.parse(body.toString()) as readonly Listed[] : [];
}
