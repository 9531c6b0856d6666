import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { SWIFT_USERS } from '../../scripts/servers/start-swift.ts';
import { credentialsAt, makeContainer, openStores } from '../destinations/objects/object-stores.ts';
import { sharedSwift } from '../servers/shared-swift.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { digestOf, qcow2Disk } from './harness/disk-images.ts';
import { makeFolder, serveArgs, startServer } from './harness/lehr-server.ts';
import { runProcess } from './harness/lehr-process.ts';
import { refusalOf } from './harness/refused.ts';
import { awaitTask, createImport } from './harness/tasks.ts';

const image = qcow2Disk(512 * 1024, 1);

/** All bytes of all files below a folder: the log among them. */
async function everythingIn(folder: string): Promise<Buffer> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((name) => name.isFile()).map((name) => path.join(name.parentPath, name.name));
  return Buffer.concat(await Promise.all(files.map((file) => readFile(file))));
}

if (hasTool('swift')) {
  test('images are imported from Swift and S3 by credentials of the configuration, and their secrets are written nowhere', async (t) => {
    const { origin } = await sharedSwift(t);
    const { key } = SWIFT_USERS.anna;
    const stores = openStores(credentialsAt(origin));
    t.teardown(() => stores.close());
    const container = await makeContainer(stores);
    const never = new AbortController().signal;
    await stores.door('swift').ask({ method: 'PUT', address: { kind: 'swift', container, name: 'disk.qcow2' }, body: image.bytes }, never);
    const folder = await makeFolder(t);
    const credentials = path.join(await makeFolder(t), 'credentials.yaml');
    await writeFile(credentials, `
dfw: { kind: swift, auth-url: "${origin}/auth/v1.0", username: "glass:anna", password: ${key} }
keys: { kind: s3, endpoint: "${origin}", access-key-id: "glass:anna", secret-access-key: ${key} }
wrong: { kind: s3, endpoint: "${origin}", access-key-id: "glass:anna", secret-access-key: not-${key} }
others: { kind: s3, endpoint: "${origin}", access-key-id: "sand:ben", secret-access-key: hush, owners: [ben] }
`, { mode: 0o600 });
    const server = await startServer(t, folder, { credentials, 'log-level': 'debug' });

    for (const [uri, credential] of [[`swift://${container}/disk.qcow2`, 'dfw'], [`s3://${container}/disk.qcow2`, 'keys']] as const) {
      const { id } = await createImport(server.api, uri, {}, { credential });
      const task = await awaitTask(server.api, id);
      t.like(task, { state: 'STATE_SUCCEEDED', result: { digest: digestOf(image.bytes) } });
    }
    const { id } = await createImport(server.api, `s3://${container}/disk.qcow2`, {}, { credential: 'wrong' });
    t.like((await awaitTask(server.api, id)).failure, { reason: 'REASON_SOURCE_FORBIDDEN', stage: 'fetch' });

    const violations = await Promise.all(['others', 'nothing', 'dfw', ''].map(async (credential) => {
      const refusal = await refusalOf(createImport(server.api, `s3://${container}/disk.qcow2`, {}, { credential }));
      return refusal.violations.map(({ field, description }) => `${field} ${description}`).join();
    }));
    const at = 'spec.import_image.credential';
    t.deepEqual(violations, [
      `${at} no credential of this name is configured`,
      `${at} no credential of this name is configured`,
      `${at} the credential is of kind swift; one of kind s3 is needed here`,
      `${at} s3:// needs the name of a credential of kind s3; ask the operator which there are`,
    ]);

    await server.kill('SIGTERM');
    t.false((await everythingIn(folder)).includes(key));
    t.notRegex(server.process.stderr(), new RegExp(`${key}|AUTH_tk|Signature=`));
  });
}

test('a server does not start with credentials that it cannot read, and says which field is wrong', async (t) => {
  const folder = await makeFolder(t);
  const credentials = path.join(folder, 'credentials.yaml');
  await writeFile(credentials, 'dfw: { kind: swift, auth-url: "http://swift.example/auth/v1.0", username: anna, pasword: hush }\n', { mode: 0o600 });
  const { code, stderr } = await runProcess(serveArgs(path.join(folder, 'data'), { credentials }));
  t.not(code, 0);
  t.regex(stderr, /dfw\.password: is needed, here or in a file that password-file names/);
  t.regex(stderr, /dfw\.pasword: is no field of a credential of this kind/);
  t.notRegex(stderr, /hush/);
});
