import { randomUUID } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { formatIncarnation, type NodeLife } from './incarnation.ts';

/** Who this process is among the nodes. */
export interface NodeIdentity extends NodeLife {
  /** Node and generation in one text, for events and heartbeats. */
  readonly incarnation: string;
}

/** Where the identity is kept in the data folder. */
const fileName = 'node.json';

/**
 * Begins the next life of the node whose data folder this is: the same node with a generation that no life of it had
 * before, durably. The folder must exist and be locked by this process. Rejects, naming the file and the remedy, where the
 * file is damaged: a generation that was guessed could be one that lives already.
 */
export async function nextIncarnation(dataFolder: string, newId: () => string = randomUUID): Promise<NodeIdentity> {
  const file = join(dataFolder, fileName);
  const before = await readIdentity(file);
  const life = before === undefined ? { node: newId(), generation: 1 } : { node: before.node, generation: before.generation + 1 };
  await replaceFile(dataFolder, file, `${JSON.stringify(life)}\n`);
  return { ...life, incarnation: formatIncarnation(life) };
}

async function readIdentity(file: string): Promise<NodeLife | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`${file} cannot be read: ${(cause as Error).message}. Let the server read and write it.`, { cause });
  }
  const life = parseIdentity(text);
  if (life !== undefined) return life;
  throw new Error(`${file} is damaged: it does not hold a node and its generation. `
    + 'Delete it: the server then starts as a new node, and others take over what the old one was doing.');
}

function parseIdentity(text: string): NodeLife | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('node' in value) || !('generation' in value)) return undefined;
  const { node, generation } = value;
  const isWhole = typeof node === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(node)
    && typeof generation === 'number' && Number.isSafeInteger(generation) && generation >= 1;
  return isWhole ? { node, generation } : undefined;
}

/** Writes beside and renames: a crash leaves the old file or the new one, whole. */
async function replaceFile(folder: string, file: string, text: string): Promise<void> {
  const beside = `${file}.new`;
  const handle = await open(beside, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
  const directory = await open(folder);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
