import test from 'ava';
import { Secret } from '../../../src/credentials/secret.ts';
import { signRequest } from '../../../src/sources/s3/sign-request.ts';

/** The examples of Amazon's "Signature Calculations for the Authorization Header", with their keys and time. */
const keys = { region: 'us-east-1', accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: new Secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY') };
const time = new Date('2013-05-24T00:00:00Z');
const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

for (const [query, signature] of [
  ['lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  ['max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ['prefix=J&max-keys=2', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
] as const) {
  test(`a request with the query ${query} is signed as Amazon's example is`, (t) => {
    const url = new URL(`https://examplebucket.s3.amazonaws.com/?${query}`);
    const headers = signRequest({ method: 'GET', url, headers: { 'x-amz-content-sha256': nothing, range: 'bytes=0-9' } }, keys, time);
    t.deepEqual(headers, {
      range: 'bytes=0-9',
      'x-amz-content-sha256': nothing,
      'x-amz-date': '20130524T000000Z',
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, '
        + `SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
    });
  });
}
