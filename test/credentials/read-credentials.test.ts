import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { credentialOf } from '../../src/credentials/credential.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import { readCredentials } from '../../src/credentials/read-credentials.ts';
import type { ReadCredentials } from '../../src/credentials/read-credentials.ts';
import { Secret } from '../../src/credentials/secret.ts';

async function writeSecrets(t: ExecutionContext, content: string, mode = 0o600): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lehr-credentials-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'credentials.yaml');
  await writeFile(file, content);
  await chmod(file, mode);
  return file;
}

/** Plain values, secrets among them, to compare as a whole. */
function revealed(credential: Credential | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(credential ?? {}).map(([field, value]: [string, unknown]) => [
    field,
    value instanceof Secret ? `secret ${value.reveal()}` : value instanceof URL ? value.href : value,
  ]));
}

async function problemsOf(t: ExecutionContext, content: string): Promise<readonly string[]> {
  const file = await writeSecrets(t, content);
  try {
    readCredentials(file);
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.replace(`credentials: ${file}: `, '').replaceAll(path.dirname(file), '/folder'));
  }
  return [];
}

const reading: readonly { readonly what: string; readonly yaml: string; readonly is: Record<string, unknown> }[] = [
  {
    what: 'a pair of S3 keys',
    yaml: '{ kind: s3, endpoint: "https://s3.example:9000", access-key-id: AK, secret-access-key: SK }',
    is: { kind: 's3', endpoint: 'https://s3.example:9000/', region: 'us-east-1', accessKeyId: 'AK', secretAccessKey: 'secret SK', pathStyle: true },
  },
  {
    what: 'a pair of S3 keys for one owner and hosts that name buckets',
    yaml: '{ kind: s3, endpoint: "http://s3.example", region: eu-1, access-key-id: AK, secret-access-key: SK, path-style: false, owners: [anna] }',
    is: {
      kind: 's3', endpoint: 'http://s3.example/', region: 'eu-1', accessKeyId: 'AK', secretAccessKey: 'secret SK', pathStyle: false, owners: ['anna'],
    },
  },
  {
    what: 'a user of tempauth',
    yaml: '{ kind: swift, auth-url: "http://swift.example/auth/v1.0", username: "glass:anna", password: p }',
    is: { kind: 'swift', authUrl: 'http://swift.example/auth/v1.0', username: 'glass:anna', password: 'secret p', auth: { version: 'v1' } },
  },
  {
    what: 'a user of Keystone',
    yaml: '{ kind: swift, auth-url: "http://keystone.example:5000/v3", username: anna, password: p, project: images, user-domain: staff, region: DFW }',
    is: {
      kind: 'swift', authUrl: 'http://keystone.example:5000/v3', username: 'anna', password: 'secret p',
      auth: { version: 'v3', project: 'images', userDomain: 'staff', projectDomain: 'staff', region: 'DFW' },
    },
  },
  {
    what: 'a bearer token for http servers',
    yaml: '{ kind: http, hosts: [Mirror.example, "http://10.0.0.1:8080", "HTTP://Plain.example", "[fd00::1]:9000"], bearer: abc }',
    is: { kind: 'http', hosts: ['mirror.example:443', 'http://10.0.0.1:8080', 'http://plain.example:80', '[fd00::1]:9000'], authorization: 'secret Bearer abc' },
  },
  {
    what: 'a name and password for http servers',
    yaml: '{ kind: http, hosts: ["mirror.example:8443"], username: anna, password: "p:q" }',
    is: { kind: 'http', hosts: ['mirror.example:8443'], authorization: `secret Basic ${Buffer.from('anna:p:q').toString('base64')}` },
  },
  { what: 'a token of another Lehr', yaml: '{ kind: lehr, token: abc }', is: { kind: 'lehr', token: 'secret abc' } },
];

for (const { what, yaml, is } of reading) {
  test(`${what} is read`, async (t) => {
    const { credentials, warnings } = readCredentials(await writeSecrets(t, `one: ${yaml}\n`));
    t.deepEqual(revealed(credentials.get('one')), { name: 'one', owners: undefined, ...is });
    t.deepEqual(warnings, []);
  });
}

test('a secret may stand on the first line of a file', async (t) => {
  const secret = await writeSecrets(t, 'from-a-file\nsecond line\n');
  const { credentials } = readCredentials(await writeSecrets(t, `one: { kind: lehr, token-file: ${secret} }`));
  t.is(revealed(credentials.get('one'))['token'], 'secret from-a-file');
});

test('without the setting, and from an empty file, there are no credentials', async (t) => {
  const none: ReadCredentials = { credentials: new Map(), warnings: [] };
  t.deepEqual([readCredentials(''), readCredentials(await writeSecrets(t, ''))], [none, none]);
});

const refused: readonly { readonly yaml: string; readonly says: readonly string[] }[] = [
  { yaml: 'one: { kind: ftp }', says: ['one.kind: must be s3 or swift or http or lehr'] },
  { yaml: 'one: {}', says: ['one.kind: is needed'] },
  { yaml: 'one: hush', says: ['one: must have fields: kind and what belongs to it'] },
  { yaml: '- hush', says: ['must have credentials by name: name: { kind: s3, … }'] },
  {
    yaml: '"hu sh": { kind: lehr, token: t }',
    says: ['the name of a credential must have 1 to 63 letters, digits, "_", "-" and ".", and begin with a letter or digit'],
  },
  { yaml: 'one: { kind: lehr, token: t, tokn: hush }', says: ['one.tokn: is no field of a credential of this kind'] },
  { yaml: 'one: { kind: lehr, token: t, Hush1: x }', says: ['one.a field: is no field of a credential of this kind'] },
  { yaml: 'one: { kind: lehr, token: hush, token-file: /hush }', says: ['one.token: is given twice: here and as token-file. Keep one', 'one.token-file: /hush cannot be read: ENOENT'] },
  { yaml: 'one: { kind: lehr }', says: ['one.token: is needed, here or in a file that token-file names'] },
  { yaml: 'one: { kind: lehr, token: 123456 }', says: ['one.token: must be text of one line, and not empty. Put it in quotes where it looks like a number'] },
  { yaml: 'one: { kind: lehr, token: "hush hush" }', says: ['one.token: must have printable ASCII characters only, and no blank'] },
  { yaml: 'one: { kind: lehr, token: t, owners: [] }', says: ['one.owners: must be a list of texts, and not empty'] },
  {
    yaml: 'one: { kind: s3, endpoint: "https://a:hush@s3.example/x", access-key-id: a, secret-access-key: b, path-style: yes please }',
    says: [
      'one.endpoint: must be an http or https URL without user, password, query and fragment',
      'one.path-style: must be true or false',
    ],
  },
  ...['http://127.0.0.1:9000', 'https://[fd00::1]'].map((endpoint) => ({
    yaml: `one: { kind: s3, endpoint: "${endpoint}", access-key-id: a, secret-access-key: b, path-style: false }`,
    says: ['one.path-style: must be true: a bucket cannot stand before an address; name the endpoint by its host to have it false'],
  })),
  {
    yaml: 'one: { kind: s3, endpoint: "https://s3.example/bucket", secret-access-key: b }',
    says: ['one.endpoint: must have no path: the bucket stands in the URI of a task', 'one.access-key-id: is needed'],
  },
  {
    yaml: 'one: { kind: swift, auth-url: "http://keystone.example", username: a, password: p, project: x }',
    says: ['one.auth: is needed, v1 (tempauth) or v3 (Keystone): auth-url does not show it'],
  },
  { yaml: 'one: { kind: swift, auth-url: "http://keystone.example/v3", username: a, password: p }', says: ['one.project: is needed'] },
  { yaml: 'one: { kind: http, hosts: ["ftp://x"], bearer: t }', says: ['one.hosts: must be host or host:port (https, without a port 443), or http://host:port where the secret may go in the clear'] },
  { yaml: 'one: { kind: http, hosts: [x] }', says: ['one.bearer: is needed, or username and password'] },
  { yaml: 'one: { kind: http, hosts: [x], username: "a:b", password: p }', says: ['one.username: must have no colon (RFC 7617)'] },
  { yaml: 'one: { kind: lehr, token: t }\none: { kind: lehr, token: hush }', says: ['line 2 is no valid YAML (DUPLICATE_KEY)'] },
  { yaml: 'one: { kind: lehr, token: "hush }', says: ['line 1 is no valid YAML'] },
];

for (const [index, { yaml, says }] of refused.entries()) {
  test(`a file that is wrong is refused with the credential, the field and no value: ${index + 1}`, async (t) => {
    const problems = await problemsOf(t, yaml);
    t.true(says.every((text, at) => problems[at]?.startsWith(text) === true), problems.join('\n'));
    t.false(problems.join('\n').replaceAll('/hush', '').includes('hush'));
  });
}

test('a file that cannot be read is named', (t) => {
  t.throws(() => readCredentials('/nowhere/credentials.yaml'), { message: 'credentials: /nowhere/credentials.yaml cannot be read: ENOENT' });
});

test('files that everybody may read are warned of with the remedy', async (t) => {
  const secret = await writeSecrets(t, 'abc', 0o644);
  const file = await writeSecrets(t, `one: { kind: lehr, token-file: ${secret} }`, 0o644);
  const warningOf = (name: string): string => `${name} holds secrets and may be read by everybody on this machine. Close it: chmod o-rwx ${name}`;
  t.deepEqual(readCredentials(file).warnings, [warningOf(file), warningOf(secret)]);
});

test('a secret shows itself in no text', async (t) => {
  const { credentials } = readCredentials(await writeSecrets(t, 'one: { kind: swift, auth-url: "http://s/v1.0", username: a, password: hush }'));
  const credential = credentials.get('one');
  t.notRegex([JSON.stringify([credential]), inspect(credential, { depth: 9, showHidden: true }), String(credential?.kind === 'swift' ? credential.password : 'hush')].join(' '), /hush/);
});

test('a credential is found by its owners and by its kind, and is unknown to everybody else', async (t) => {
  const { credentials } = readCredentials(await writeSecrets(t, 'open: { kind: lehr, token: a }\nannas: { kind: lehr, token: b, owners: [anna, eve] }'));
  const find = (name: string, owner: string, kind: 'lehr' | 's3'): string => {
    const found = credentialOf(credentials, name, owner, kind);
    return found.ok ? found.credential.name : found.message;
  };
  const unknown = 'no credential of this name is configured';
  t.deepEqual(
    [find('open', 'ben', 'lehr'), find('annas', 'anna', 'lehr'), find('annas', 'ben', 'lehr'), find('other', 'ben', 'lehr'), find('annas', 'anna', 's3')],
    ['open', 'annas', unknown, unknown, 'the credential is of kind lehr; one of kind s3 is needed here'],
  );
});
