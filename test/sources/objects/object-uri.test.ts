import test from 'ava';
import { checkObjectUri, objectUri } from '../../../src/sources/objects/object-uri.ts';

for (const [uri, container, name, written = uri] of [
  ['s3://bucket/key', 'bucket', 'key'],
  ['S3://bucket/a/b//c', 'bucket', 'a/b//c', 's3://bucket/a/b//c'],
  ['s3://Old_Bucket.x/%3F%23%25', 'Old_Bucket.x', '?#%'],
  ['swift://my%20images/disk%20(1).img', 'my images', 'disk (1).img', 'swift://my%20images/disk%20%281%29.img'],
  ['swift://Bilder/über.img', 'Bilder', 'über.img', 'swift://Bilder/%C3%BCber.img'],
  ['swift://c/%2Fx', 'c', '/x', 'swift://c//x'],
] as const) {
  test(`${uri} names an object`, (t) => {
    const kind = uri.slice(0, 2).toLowerCase() === 's3' ? 's3' : 'swift';
    t.deepEqual(checkObjectUri(uri), { ok: true, address: { kind, container, name } });
    t.is(objectUri({ kind, container, name }), written);
    t.deepEqual(checkObjectUri(written), { ok: true, address: { kind, container, name } });
  });
}

for (const [uri, message] of [
  ['s3://bucket', 'Write the URI as s3://bucket/key.'],
  ['s3://bucket/', 'Write the URI as s3://bucket/key.'],
  ['s3:///key', 'Write the URI as s3://bucket/key.'],
  ['swift:c/o', 'Write the URI as swift://container/object.'],
  ['s3://bucket/key?versionId=1', 's3://bucket/key has no query and no fragment; write ? as %3F and # as %23.'],
  ['swift://c/o#1', 'swift://container/object has no query and no fragment; write ? as %3F and # as %23.'],
  ['s3://key:hush@bucket/key', 'The URI holds a user name or password; name a credential instead.'],
  ['s3://bucket/%', 'The URI has a percent sign that begins no encoded UTF-8, or an encoded control character.'],
  ['s3://bucket/%00', 'The URI has a percent sign that begins no encoded UTF-8, or an encoded control character.'],
  ['swift://c/a/../b', 'The object\'s name has "." or ".." between slashes.'],
  ['swift://c/a/%2E%2E/b', 'The object\'s name has "." or ".." between slashes.'],
  ['s3://b/key', 'The name of the bucket must have 3 to 255 letters, digits, "-", "_" and ".", and begin and end with a letter or digit.'],
  ['s3://buck:9000/key', 'The name of the bucket must have 3 to 255 letters, digits, "-", "_" and ".", and begin and end with a letter or digit.'],
  ['swift://a%2Fb/o', 'The container\'s name must have no slash, and not be "." or "..".'],
  [`swift://${'c'.repeat(257)}/o`, 'The container\'s name has more than 256 bytes.'],
  [`swift://c/${'ü'.repeat(513)}`, 'The object\'s name has more than 1024 bytes.'],
] as const) {
  test(`${uri.slice(0, 40)} is refused: ${message}`, (t) => {
    t.deepEqual(checkObjectUri(uri), { ok: false, message });
  });
}
