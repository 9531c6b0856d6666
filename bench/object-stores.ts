import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startSwift, SWIFT_USERS } from '../scripts/servers/start-swift.ts';
import type { CreateTaskRequest } from '../src/gen/lehr/v1/task_service.ts';
import { elapsed } from './elapsed.ts';
import { deleteImage, runTask, writeLargeImage } from './large-images.ts';
import { startLehr } from './lehr-server.ts';
import { runShell } from './processes.ts';
import { median, type Figure } from './report.ts';
import { importRequest } from './rpc.ts';

const imageMiB = 1_024;
const rounds = 2;
const { account, user, key } = SWIFT_USERS.anna;

/** Import from and export to a real Swift on this machine, by its own protocol and by that of S3, beside curl with the same server. */
export async function* benchObjectStores(folder: string): AsyncGenerator<Figure> {
  const swift = await startSwift();
  try {
    const { token, url } = await logIn(swift.origin);
    const asAnna = `-H 'x-auth-token: ${token}'`;
    const image = join(folder, 'objects.raw');
    writeLargeImage(image);
    await runShell(`curl -sf -o /dev/null ${asAnna} -X PUT ${url}/images && sync`);
    const seconds: Record<'put' | 'get', number[]> = { put: [], get: [] };
    for (let round = 0; round < rounds; round += 1) {
      seconds.put.push(await elapsed(() => runShell(`curl -sf -o /dev/null ${asAnna} -T ${image} ${url}/images/disk.raw`)));
      const copy = join(folder, 'copy.raw');
      seconds.get.push(await elapsed(() => runShell(`curl -sf -o ${copy} ${asAnna} ${url}/images/disk.raw && sync ${copy}`)));
      await runShell(`rm ${copy} && sync`);
    }
    const mbPerSecond = (times: readonly number[]): number => (imageMiB * 2 ** 20) / 1e6 / median(times);
    const curl = { put: mbPerSecond(seconds.put), get: mbPerSecond(seconds.get) };
    yield { name: `curl -T of ${imageMiB} MiB to Swift`, value: curl.put, unit: 'MB/s', versus: '', ratio: undefined };
    yield { name: 'curl -o; sync of the same', value: curl.get, unit: 'MB/s', versus: '', ratio: undefined };
    const credentials = join(folder, 'credentials.yaml');
    writeFileSync(credentials, credentialsOf(swift.origin), { mode: 0o600 });
    const lehr = await startLehr(join(folder, 'objects'), { credentials });
    for (const kind of ['swift', 's3'] as const) {
      const times: Record<'put' | 'get', number[]> = { put: [], get: [] };
      for (let round = 0; round < rounds; round += 1) {
        let imageId = '';
        times.get.push(await elapsed(async () => { imageId = await runTask(lehr, importFrom(`${kind}://images/disk.raw`, kind)); }));
        times.put.push(await elapsed(() => runTask(lehr, exportTo(imageId, `${kind}://images/${kind}-${round}.raw`, kind))));
        await deleteImage(lehr, imageId);
      }
      const [got, put] = [mbPerSecond(times.get), mbPerSecond(times.put)];
      yield { name: `import from ${kind}://, durable`, value: got, unit: 'MB/s', versus: 'curl -o; sync', ratio: got / curl.get };
      yield { name: `export to ${kind}://, verified`, value: put, unit: 'MB/s', versus: 'curl -T', ratio: put / curl.put };
    }
    await lehr.stop();
  } finally {
    await swift.stop();
  }
}

async function logIn(origin: string): Promise<{ readonly token: string; readonly url: string }> {
  const { headers } = await fetch(`${origin}/auth/v1.0`, { headers: { 'x-auth-user': `${account}:${user}`, 'x-auth-key': key } });
  return { token: headers.get('x-auth-token') ?? '', url: headers.get('x-storage-url') ?? '' };
}

function credentialsOf(origin: string): string {
  return `swift: { kind: swift, auth-url: "${origin}/auth/v1.0", username: "${account}:${user}", password: "${key}" }\n`
    + `s3: { kind: s3, endpoint: "${origin}", access-key-id: "${account}:${user}", secret-access-key: "${key}" }\n`;
}

function importFrom(uri: string, credential: string): CreateTaskRequest {
  const request = importRequest(uri);
  if (request.spec?.kind?.$case !== 'importImage') throw new TypeError('a request to import');
  return { ...request, spec: { kind: { $case: 'importImage', value: { ...request.spec.kind.value, credential } } } };
}

function exportTo(imageId: string, destinationUri: string, credential: string): CreateTaskRequest {
  return {
    spec: {
      kind: {
        $case: 'exportImage',
        value: { imageId, destinationUri, credential, format: 'DISK_FORMAT_RAW', compression: 'COMPRESSION_UNSPECIFIED' },
      },
    },
    labels: {}, requestId: '', ttl: undefined, validateOnly: false,
  };
}
