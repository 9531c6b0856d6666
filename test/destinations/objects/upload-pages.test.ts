import test from 'ava';

import { artefactOf, delivery, someBytes } from './object-stores.ts';
import { md5, scriptedStore, taken } from './scripted-store.ts';
import type { Asked } from './scripted-store.ts';

const large = someBytes(250_000);
const parts = [large.subarray(0, 100_000), large.subarray(100_000, 200_000)];

const upload = (key: string, id: string): string => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`;
const page = (uploads: string, next: string): string => `<ListMultipartUploadsResult>${next}${uploads}</ListMultipartUploadsResult>`;

/** One upload a page: somebody else's under the same name, an attempt's own, and then one of a name that begins with it. */
const pages: Readonly<Record<string, string>> = {
  '': page(upload('one', 'u1'), '<IsTruncated>true</IsTruncated><NextKeyMarker>one</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker>'),
  'one u1': page(upload('one', 'u2'), '<IsTruncated>true</IsTruncated><NextKeyMarker>one</NextKeyMarker><NextUploadIdMarker>u2</NextUploadIdMarker>'),
  'one u2': page(upload('one-more', 'u3'), '<IsTruncated>true</IsTruncated><NextKeyMarker>one-more</NextKeyMarker><NextUploadIdMarker>u3</NextUploadIdMarker>'),
};

/** A page of uploads, or the parts of one, as many as are asked for. */
function lists({ query }: Asked): string | undefined {
  const markers = [query.get('key-marker') ?? '', query.get('upload-id-marker') ?? ''].join(' ').trim();
  if (query.has('uploads')) return pages[markers];
  if (!query.has('uploadId')) return undefined;
  const left = query.get('uploadId') === 'u2' ? parts : [someBytes(100_000, 'of somebody else')];
  return left.slice(0, Number(query.get('max-parts')))
    .map((part, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>"${md5(part)}"</ETag><Size>${part.length}</Size></Part>`).join('');
}

test('s3: the next attempt goes on with an upload that a later page of the list names', async (t) => {
  let sentBytes = 0;
  let isThere = false;
  const etag = `"${md5(Buffer.concat([...parts, large.subarray(200_000)].map((part) => Buffer.from(md5(part), 'hex'))))}-3"`;
  const { destinations, asked } = await scriptedStore(t, (request) => {
    const { method, body } = request;
    if (method === 'PUT') {
      sentBytes += body.length;
      return taken(request, 200);
    }
    if (method === 'POST') {
      isThere = true;
      return { status: 200, body: `<CompleteMultipartUploadResult><ETag>${etag}</ETag></CompleteMultipartUploadResult>` };
    }
    const listed = lists(request);
    if (listed !== undefined) return { status: 200, body: listed };
    return isThere ? { status: 200, headers: { etag }, body: method === 'GET' ? large : '' } : 404;
  });
  await destinations.deliver({ uri: 's3://images/one', credential: 's3', owner: 'anna' }, artefactOf(large), delivery({ attempt: 2 }));
  t.is(sentBytes, 50_000);
  t.deepEqual(asked.filter((line) => line.startsWith('POST')), ['POST /images/one?uploadId=u2']);
  const pagesAsked = asked.filter((line) => line.includes('uploads='));
  // Once to go on, once to clean up.
  t.is(pagesAsked.length, 6);
  t.is(new Set(pagesAsked).size, 3);
});
