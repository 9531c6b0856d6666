import test from 'ava';
import { loadConfig } from '../../src/config.ts';
import { addressRange } from '../../src/sources/ip-address.ts';
import { allowLimit, parseSourceAllow } from '../../src/sources/parse-source-allow.ts';
import { effectiveAllow, judgeDestination } from '../../src/sources/source-allow.ts';
import type { SourceAllow } from '../../src/sources/source-allow.ts';

const range = (text: string): { readonly kind: 'range'; readonly range: NonNullable<ReturnType<typeof addressRange>> } => ({ kind: 'range', range: addressRange(text)! });

const read: readonly (readonly [text: string, entries: ReturnType<typeof parseSourceAllow>])[] = [
  ['', 'by-auth'],
  [' , ', 'by-auth'],
  ['none', []],
  ['private', [{ kind: 'private', port: undefined }]],
  ['private:443', [{ kind: 'private', port: 443 }]],
  ['Mirror.LAN, minio:9000', [{ kind: 'name', name: 'mirror.lan', port: undefined }, { kind: 'name', name: 'minio', port: 9000 }]],
  ['*.corp.example:443', [{ kind: 'suffix', suffix: '.corp.example', port: 443 }]],
  ['127.0.0.1:9000', [{ ...range('127.0.0.1/32'), port: 9000 }]],
  ['10.1.0.0/16', [{ ...range('10.1.0.0/16'), port: undefined }]],
  ['10.1.0.0/16:80', [{ ...range('10.1.0.0/16'), port: 80 }]],
  ['0.0.0.0/0', [{ ...range('0.0.0.0/0'), port: undefined }]],
  ['::1', [{ ...range('::1/128'), port: undefined }]],
  ['fd00::1:80', [{ ...range('fd00::1:80/128'), port: undefined }]],
  ['[fd00::1]', [{ ...range('fd00::1/128'), port: undefined }]],
  ['[fd00::1]:80', [{ ...range('fd00::1/128'), port: 80 }]],
  ['fd00::/8', [{ ...range('fd00::/8'), port: undefined }]],
  ['[FD00::/8]:443', [{ ...range('fd00::/8'), port: 443 }]],
  ['100.64.0.0/10', [{ ...range('100.64.0.0/10'), port: undefined }]],
];

for (const [text, entries] of read) test(`source-allow "${text}" is read`, (t) => t.deepEqual(parseSourceAllow(text), entries));

const malformed: readonly (readonly [text: string, problem: RegExp])[] = [
  ['none,private', /none alone/],
  ['none:80', /none alone/],
  ['a,,b c', /"b c" is none of these/],
  ['*', /"\*" is none/],
  ['*.', /is none/],
  ['a.*.example', /is none/],
  ['http://mirror.lan', /is none|port/],
  ['user@host', /is none/],
  ['mirror.lan.', /is none/],
  ['bücher.example', /is none/],
  ['-a.example', /is none/],
  ['10.0.0.1/8', /zeros behind its prefix/],
  ['10.0.0.0/33', /is none/],
  ['10.0.0/8', /is none/],
  ['10.0.0', /is none/],
  ['0x7f.0.0.1', /is none/],
  ['127.0.0.01', /is none/],
  ['fd00::1/8', /zeros behind its prefix/],
  ['fd00::/129', /is none/],
  ['[10.0.0.1]:80', /is none/],
  ['[mirror.lan]:80', /is none/],
  ['[fd00::1', /is none/],
  ['[fd00::1]x', /is none/],
  ['fd00::1%eth0', /is none/],
  ['mirror.lan:', /port/],
  ['mirror.lan:0', /port/],
  ['mirror.lan:65536', /port/],
  ['mirror.lan:http', /port/],
  ['::ffff:10.0.0.1', /IPv4 addresses as such/],
  ['::ffff:10.0.0.0/104', /IPv4 addresses as such/],
  ['169.254.169.254', /never contacted/],
  ['169.254.169.254:80', /never contacted/],
  ['169.254.0.0/16', /never contacted/],
  ['169.254.169.0/24', /never contacted/],
  ['fe80::1', /never contacted/],
  ['[fe80::/64]:80', /never contacted/],
  ['100.100.100.200', /never contacted/],
  ['::ffff:169.254.169.254', /never contacted/],
  ['64:ff9b::a9fe:a9fe', /never contacted/],
  ['metadata.google.internal', /never contacted/],
  ['Metadata:80', /never contacted/],
  ['mirror.lan,169.254.169.254', /"169\.254\.169\.254"/],
  [Array.from({ length: allowLimit + 1 }, (_, index) => `host-${index}`).join(','), /at most 100 entries/],
];

for (const [text, problem] of malformed) {
  test(`source-allow "${text.slice(0, 60)}" stops the start by name`, (t) => {
    const error = t.throws(() => loadConfig(['--source-allow', text], {}));
    t.true(error.message.startsWith(`--source-allow: "${text}" must `));
    t.regex(error.message, problem);
  });
}

test('without auth source-allow is private unless it is set, with auth none', (t) => {
  t.deepEqual(effectiveAllow('by-auth', 'none'), [{ kind: 'private', port: undefined }]);
  t.deepEqual(effectiveAllow('by-auth', 'oidc'), []);
  t.deepEqual(effectiveAllow([], 'none'), []);
});

type Judged = ReturnType<typeof judgeDestination>;

const judged: readonly (readonly [allow: string, host: string, address: string, port: number, verdict: Judged])[] = [
  ['none', 'example.com', '8.8.8.8', 80, 'allowed'],
  ['none', 'example.com', '127.0.0.1', 80, 'private'],
  ['none', 'example.com', '169.254.169.254', 80, 'never'],
  ['private', 'example.com', '127.0.0.1', 80, 'allowed'],
  ['private', 'example.com', '255.255.255.255', 80, 'allowed'],
  ['private', 'example.com', '::ffff:169.254.169.254', 80, 'never'],
  ['private', 'metadata.google.internal', '8.8.8.8', 80, 'never'],
  ['private', 'example.com', 'no address', 80, 'never'],
  ['private:443', 'example.com', '10.0.0.1', 443, 'allowed'],
  ['private:443', 'example.com', '10.0.0.1', 80, 'private'],
  ['mirror.lan', 'mirror.lan', '10.0.0.1', 80, 'allowed'],
  ['mirror.lan', 'mirror.lan', '169.254.169.254', 80, 'never'],
  ['mirror.lan', 'a.mirror.lan', '10.0.0.1', 80, 'private'],
  ['mirror.lan', 'mirror.lan.example', '10.0.0.1', 80, 'private'],
  ['mirror.lan:9000', 'mirror.lan', '10.0.0.1', 9000, 'allowed'],
  ['mirror.lan:9000', 'mirror.lan', '10.0.0.1', 9001, 'private'],
  ['*.corp.example', 'a.corp.example', 'fd00::1', 80, 'allowed'],
  ['*.corp.example', 'b.a.corp.example', 'fd00::1', 80, 'allowed'],
  ['*.corp.example', 'corp.example', 'fd00::1', 80, 'private'],
  ['*.corp.example', 'evilcorp.example', 'fd00::1', 80, 'private'],
  ['*.google.internal', 'metadata.google.internal', '10.0.0.1', 80, 'never'],
  ['10.0.0.0/8', 'example.com', '10.255.0.1', 80, 'allowed'],
  ['10.0.0.0/8', 'example.com', '::ffff:10.255.0.1', 80, 'allowed'],
  ['10.0.0.0/8', 'example.com', '64:ff9b::10.255.0.1', 80, 'private'],
  ['10.0.0.0/9', 'example.com', '10.127.255.255', 80, 'allowed'],
  ['10.0.0.0/9', 'example.com', '10.128.0.0', 80, 'private'],
  ['127.0.0.1:9000', '127.0.0.1', '127.0.0.1', 9000, 'allowed'],
  ['127.0.0.1:9000', '127.0.0.1', '127.0.0.1', 9001, 'private'],
  ['127.0.0.1:9000', '0.0.0.0', '0.0.0.0', 9000, 'private'],
  ['127.0.0.1:9000', '127.0.0.2', '127.0.0.2', 9000, 'private'],
  ['[fd00::/9]:443', 'example.com', 'fd7f::1', 443, 'allowed'],
  ['[fd00::/9]:443', 'example.com', 'fd80::1', 443, 'private'],
  ['fd00::/8', 'example.com', 'fd00:ec2::254', 80, 'never'],
  ['0.0.0.0/0', 'example.com', '100.100.100.200', 80, 'never'],
  ['::/0', 'example.com', '10.0.0.1', 80, 'private'],
];

for (const [allow, host, address, port, verdict] of judged) {
  test(`with source-allow ${allow}, ${host} at ${address} port ${port} is ${verdict}`, (t) => {
    t.is(judgeDestination({ host, port, address }, parseSourceAllow(allow) as SourceAllow), verdict);
  });
}
