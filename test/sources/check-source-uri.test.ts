import test from 'ava';
import { checkSourceUri, sourceUriLimit } from '../../src/sources/check-source-uri.ts';

const fileRoots = ['/srv/images', '/data/'];

const refused: readonly (readonly [uri: string, says: RegExp])[] = [
  ['', /is needed/],
  ['disk.qcow2', /no valid absolute URL/],
  ['http://', /no valid absolute URL/],
  ['http://exa mple.com/', /no valid absolute URL/],
  [`http://example.com/${'a'.repeat(sourceUriLimit)}`, /more than 4096 characters/],
  ['ftp://example.com/disk', /scheme "ftp"/],
  ['nbd://example.com/disk', /scheme "nbd"/],
  ['json:{"driver":"file"}', /scheme "json"/],
  ['javascript:alert(1)', /scheme "javascript"/],
  ['http://user:secret@example.com/disk', /name a credential/],
  ['http://user@example.com/disk', /name a credential/],
  ['http://:secret@example.com/disk', /name a credential/],
  ['http://169.254.169.254/latest/meta-data', /169\.254\.169\.254 is never contacted/],
  ['http://2852039166/', /169\.254\.169\.254 is never contacted/],
  ['http://0xa9fea9fe/', /169\.254\.169\.254 is never contacted/],
  ['http://0251.0376.0251.0376/', /169\.254\.169\.254 is never contacted/],
  ['http://169.254.43518/', /169\.254\.169\.254 is never contacted/],
  ['http://①⑥⑨.254.169.254/', /169\.254\.169\.254 is never contacted/],
  ['http://%31%36%39.254.169.254/', /169\.254\.169\.254 is never contacted/],
  ['http://169.254.169.254./', /is never contacted/],
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
  test(`"${uri.slice(0, 60)}" is refused`, (t) => {
    const checked = checkSourceUri(uri, { fileRoots });
    t.false(checked.ok);
    t.regex(checked.ok ? '' : checked.message, says);
    t.notRegex(checked.ok ? '' : checked.message, /secret/);
  });
}

test('without file roots every file is refused', (t) => {
  t.deepEqual(checkSourceUri('file:///srv/images/a', { fileRoots: [] }), {
    ok: false,
    message: 'file:// sources are switched off: the setting file-roots is empty.',
  });
});

test('http and https are accepted, with port, query and IPv6 address', (t) => {
  for (const uri of ['http://example.com/disk', 'https://example.com:8443/d?token=x', 'http://127.0.0.1:1/', 'http://[::1]:8080/d']) {
    t.deepEqual(checkSourceUri(uri, { fileRoots }), { ok: true, kind: 'http', url: new URL(uri) });
  }
});

test('a file below a root is accepted, its path decoded and normal', (t) => {
  const accepted = { 'file:///srv/images/a%20b': '/srv/images/a b', 'file:///data/x/../y': '/data/y', 'file:/srv/images/z': '/srv/images/z' };
  for (const [uri, path] of Object.entries(accepted)) {
    t.deepEqual(checkSourceUri(uri, { fileRoots }), { ok: true, kind: 'file', url: new URL(uri), path });
  }
});
