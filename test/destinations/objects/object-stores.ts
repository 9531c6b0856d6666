import { createHash, randomUUID } from 'node:crypto';
import { SWIFT_USERS } from '../../../scripts/servers/start-swift.ts';
import type { Credential, Credentials } from '../../../src/credentials/credential.ts';
import { Secret } from '../../../src/credentials/secret.ts';
import type { Artefact, Delivery } from '../../../src/destinations/destination.ts';
import { objectDestinations } from '../../../src/destinations/objects/object-destinations.ts';
import type { PartBounds } from '../../../src/destinations/objects/part-plan.ts';
import { Endpoints } from '../../../src/sources/objects/endpoints.ts';
import type { ObjectDoor } from '../../../src/sources/objects/object-door.ts';
import { ObjectDoors } from '../../../src/sources/objects/object-doors.ts';
import type { ObjectAddress } from '../../../src/sources/objects/object-uri.ts';

/** Small parts, so that a small artefact has many. */
export const smallParts: PartBounds = { wholeLimitBytes: 100_000, partBytes: 100_000, partLimit: 1_000 };

const { anna, ben } = SWIFT_USERS;

/** A credential of either kind, of the same name as its kind, for the real Swift at `origin`; `wrong` ones have another secret. */
export function credentialsAt(origin: string): Credentials {
  const swift = (name: string, { account, user, key }: typeof anna | typeof ben, password: string = key): Credential => ({
    kind: 'swift', name, owners: undefined, authUrl: new URL(`${origin}/auth/v1.0`), username: `${account}:${user}`, password: new Secret(password), auth: { version: 'v1' },
  });
  const s3 = (name: string, { account, user, key }: typeof anna | typeof ben, secret: string = key): Credential => ({
    kind: 's3', name, owners: undefined, endpoint: new URL(origin), region: 'us-east-1', accessKeyId: `${account}:${user}`, secretAccessKey: new Secret(secret), pathStyle: true,
  });
  const all = [
    swift('swift', anna), swift('bens-swift', ben), swift('wrong-swift', anna, 'hush-wrong'),
    s3('s3', anna), s3('bens-s3', ben), s3('wrong-s3', anna, 'hush-wrong'),
  ];
  return new Map(all.map((credential) => [credential.name, credential]));
}

/** What the tests of one file work with. */
export interface ObjectStores {
  readonly endpoints: Endpoints;
  readonly doors: ObjectDoors;
  readonly destinations: ReturnType<typeof objectDestinations>;
  /** How long retries would have waited, in milliseconds. */
  readonly pauses: readonly number[];
  door(kind: ObjectAddress['kind'], credential?: string): ObjectDoor;
  close(): Promise<void>;
}

/** Opens the object stores of a real Swift. Retries wait for nothing. */
export function openStores(credentials: Credentials, bounds: PartBounds = smallParts): ObjectStores {
  const endpoints = new Endpoints(20_000);
  const doors = new ObjectDoors(credentials, endpoints, () => new Date());
  const pauses: number[] = [];
  return {
    endpoints,
    doors,
    pauses,
    destinations: objectDestinations(doors, { bounds, pause: async (delayMs) => void pauses.push(delayMs) }),
    door(kind, credential = kind) {
      const found = doors.find(kind, credential, 'anna');
      if (!found.ok) throw new Error(found.message);
      return found.door;
    },
    close: () => endpoints.close(),
  };
}

const never = new AbortController().signal;

/** Makes a container, which is the bucket of the same name too, and answers with its name. */
export async function makeContainer({ door }: Pick<ObjectStores, 'door'>): Promise<string> {
  const container = `images-${randomUUID()}`;
  await door('swift').ask({ method: 'PUT', address: { kind: 'swift', container, name: '' } }, never);
  return container;
}

/** Names of all that is in a container, with its size; undefined: there is no such container. */
export async function listContainer({ door }: Pick<ObjectStores, 'door'>, container: string): Promise<readonly string[] | undefined> {
  const answer = await door('swift').ask({ method: 'GET', address: { kind: 'swift', container, name: '' }, query: { format: 'json' } }, never);
  if (answer.status === 404) return undefined;
  return (JSON.parse(answer.body.toString() || '[]') as readonly { name: string; bytes: number }[]).map(({ name, bytes }) => `${name} ${bytes}`);
}

/** Bytes that repeat nowhere, the same each time. */
export function someBytes(sizeBytes: number, seed = 'lehr'): Buffer {
  const blocks = Array.from({ length: Math.ceil(sizeBytes / 64) }, (_, index) => createHash('sha512').update(`${seed} ${index}`).digest());
  return Buffer.concat(blocks).subarray(0, sizeBytes);
}

/** Size and digest of bytes. */
export function found(bytes: Uint8Array): { readonly sizeBytes: number; readonly digest: string } {
  return { sizeBytes: bytes.length, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/** An artefact of these bytes, in chunks of 30,000, that says when a chunk is taken. */
export function artefactOf(bytes: Buffer, onChunk: (offset: number) => Promise<void> | void = () => undefined): Artefact {
  return {
    ...found(bytes),
    path: '/nowhere',
    async *chunks(offset, signal) {
      for (let at = offset; at < bytes.length; at += 30_000) {
        signal.throwIfAborted();
        await onChunk(at);
        yield bytes.subarray(at, at + 30_000);
      }
    },
  };
}

/** A delivery of a task of its own. */
export function delivery(changed: Partial<Delivery> = {}): Delivery {
  return { taskId: randomUUID(), attempt: 1, ours: [], signal: never, progress: () => undefined, ...changed };
}
