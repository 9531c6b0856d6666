import test from 'ava';
import { checkSourceUri, sourceUriLimit } from '../../src/sources/check-source-uri.ts';
import type { SourceAllow } from '../../src/sources/source-allow.ts';

const everywhere: SourceAllow = [{ kind: 'private', port: undefined }];
const fileRoots = ['/srv/images', '/data/'];

const refused: readonly (readonly [uri: string, says: RegExp])[] = [
  ['', /is needed/],
  ['disk.qcow2', /no valid absolute URL/],
  ['http://', /names no host/],
  ['http:///disk', /names no host/],
  ['http://:80/', /names no host/],
  ['http:example.com/disk', /must have \/\/ behind its scheme/],
  ['http:/example.com/disk', /must have \/\/ behind its scheme/],
  ['http://exa mple.com/', /blank/],
  [' http://example.com/', /blank/],
  ['http://example.com/ ', /blank/],
  ['http://example.com/a b', /blank/],
  ['http://exam\tple.com/', /control character/],
  ['http://example.com/\n', /control character/],
  ['http://example.com/\u0000', /control character/],
  ['http://example.com/\u00a0', /blank/],
  ['http:\\\\example.com\\disk', /backslash/],
  ['http://example.com\\@127.0.0.1/', /backslash/],
  ['file:///srv/images\\a', /backslash/],
  ['file:///srv/images/a b', /blank/],
  [`http://example.com/${'a'.repeat(sourceUriLimit)}`, /more than 4096 characters/],
  ['ftp://example.com/disk', /scheme "ftp"/],
  ['nbd://example.com/disk', /scheme "nbd"/],
  ['json:{"driver":"file"}', /scheme "json"/],
  ['javascript:alert(1)', /scheme "javascript"/],
  ['http://user:secret@example.com/disk', /name a credential/],
  ['http://user@example.com/disk', /name a credential/],
  ['http://:secret@example.com/disk', /name a credential/],
  ['http://@example.com/disk', /name a credential/],
  ['http://example.com:/disk', /port/],
  ['http://example.com:0/disk', /port/],
  ['http://example.com:080/disk', /port/],
  ['http://example.com:65536/disk', /port/],
  ['http://example.com:-1/disk', /port/],
  ['http://example.com:http/disk', /port/],
  ['http://1.2.3.4:80:90/disk', /port/],
  ['http://::1/disk', /IPv6 address stands in brackets/],
  ['http://169.254.169.254/latest/meta-data', /169\.254\.169\.254 is never contacted/],
  ['http://2852039166/', /host 2852039166 is an odd spelling/],
  ['http://0xa9fea9fe/', /odd spelling/],
  ['http://0251.0376.0251.0376/', /odd spelling/],
  ['http://169.254.43518/', /odd spelling/],
  ['http://127.1/', /odd spelling/],
  ['http://0x7f.1/', /odd spelling/],
  ['http://0x7F.0.0.1/', /odd spelling/],
  ['http://127.0.0.01/', /odd spelling/],
  ['http://0/', /odd spelling/],
  ['http://0x/', /odd spelling/],
  ['http://256.0.0.1/', /odd spelling/],
  ['http://1.2.3.4.5/', /odd spelling/],
  ['http://example.1/', /odd spelling/],
  ['http://①⑥⑨.254.169.254/', /xn--/],
  ['http://①②⑦.0.0.1/', /xn--/],
  ['http://bücher.example/', /xn--/],
  ['http://example\u3002com/', /xn--/],
  ['http://%31%36%39.254.169.254/', /percent-encoded/],
  ['http://exa%6dple.com/', /percent-encoded/],
  ['http://169.254.169.254./', /ends with a dot/],
  ['http://example.com./', /ends with a dot/],
  ['http://./', /ends with a dot/],
  ['http://exam!ple.com/', /no host name/],
  ['http://-a.example/', /no host name/],
  ['http://a..example/', /no host name/],
  ['http://.example/', /no host name/],
  [`http://${'a'.repeat(64)}.example/`, /no host name/],
  ['http://[fe80::1%25eth0]/', /network interface/],
  ['http://[::1%eth0]/', /network interface/],
  ['http://[127.0.0.1]/', /no IPv6 address/],
  ['http://[]/', /no IPv6 address/],
  ['http://[::ffff:0x7f.1]/', /no IPv6 address/],
  ['http://[::1]x/', /IPv6 address stands in brackets/],
  ['http://[::1/', /IPv6 address stands in brackets/],
  ['https://[fe80::1]/', /fe80::1 is never contacted/],
  ['https://[::ffff:169.254.169.254]/', /is never contacted/],
  ['https://[64:ff9b::a9fe:a9fe]/', /is never contacted/],
  ['http://metadata.google.internal/computeMetadata/v1/', /is never contacted/],
  ['file://server/srv/images/a', /names no host/],
  ['file:///srv/images/a?b', /no query/],
  ['file:///srv/images/a#b', /no query/],
  ['file:///srv/images%2Fa', /encoded slash/],
  ['file:///srv/images/a%00b', /zero byte/],
  ['file:///srv/images/%ff', /UTF-8/],
  ['file:///etc/passwd', /not below/],
  ['file:///srv/images/../secret', /not below/],
  ['file:///srv/images/%2e%2e/secret', /not below/],
  ['file:///srv/images-other/a', /not below/],
  ['file:///srv/images', /not below/],
  ['file:///srv/images/', /not below/],
];

for (const [uri, says] of refused) {
  test(`"${encodeURI(uri).slice(0, 60)}" is refused`, (t) => {
    const checked = checkSourceUri(uri, { fileRoots, sourceAllow: everywhere });
    t.false(checked.ok);
    t.regex(checked.ok ? '' : checked.message, says);
    t.notRegex(checked.ok ? '' : checked.message, /secret/);
  });
}

test('without file roots every file is refused', (t) => {
  t.deepEqual(checkSourceUri('file:///srv/images/a', { fileRoots: [], sourceAllow: everywhere }), {
    ok: false,
    message: 'file:// sources are switched off: the setting file-roots is empty.',
  });
});

test('http and https are accepted, with port, query and IPv6 address', (t) => {
  for (const uri of [
    'http://example.com/disk', 'HTTPS://Example.COM:8443/d?token=x@y', 'http://127.0.0.1:1/', 'http://[::1]:8080/d', 'http://[0:0::1]/d', 'http://minio:9000',
    'http://xn--bcher-kva.example:80/', 'http://under_score.example?x', 'http://example.com/ä%2F..%5C',
  ]) {
    t.deepEqual(checkSourceUri(uri, { fileRoots, sourceAllow: everywhere }), { ok: true, kind: 'http', url: new URL(uri) });
  }
});

for (const host of ['127.0.0.1', '10.1.2.3', '0.0.0.0', '[::1]', '[::ffff:127.0.0.1]', '[fd00::1]', '[64:ff9b::10.0.0.1]']) {
  test(`the private address ${host} is refused where source-allow does not open it, by the name of the setting`, (t) => {
    const checked = checkSourceUri(`http://${host}:9000/disk`, { fileRoots, sourceAllow: [{ kind: 'private', port: 9001 }] });
    t.regex(checked.ok ? '' : checked.message, /is private, and the setting source-allow does not open port 9000 of it/);
  });
}

test('names and public addresses need no setting: a name is judged when it resolves', (t) => {
  for (const uri of ['http://localhost/d', 'http://mirror.lan/d', 'http://8.8.8.8/d', 'http://[2606:4700::1111]/d']) {
    t.deepEqual(checkSourceUri(uri, { fileRoots, sourceAllow: [] }), { ok: true, kind: 'http', url: new URL(uri) });
  }
});

test('a file below a root is accepted, its path decoded and normal', (t) => {
  const accepted = { 'file:///srv/images/a%20b': '/srv/images/a b', 'file:///data/x/../y': '/data/y', 'file:/srv/images/z': '/srv/images/z' };
  for (const [uri, path] of Object.entries(accepted)) {
    t.deepEqual(checkSourceUri(uri, { fileRoots, sourceAllow: everywhere }), { ok: true, kind: 'file', url: new URL(uri), path });
  }
});
