import test from 'ava';

import { decodeCanonical, encodeCanonical, hashCanonical, hashRecord } from '../../src/log/canonical.ts';
import { noPredecessor, type LogRecord } from '../../src/log/record.ts';

// The hashes were computed once by other means, with Python's hashlib and struct, from nothing but the record's text:
//
//   message = b''
//   for name in sorted(headers):
//       for text in (name.encode(), headers[name].encode()):
//           message += struct.pack('>I', len(text)) + text
//   message += struct.pack('>I', len(value)) + value
//   print(hashlib.sha256(message).hexdigest(), len(message))
const first = {
  ce_specversion: '1.0', ce_id: '0b0e9a52-6c1e-4c7e-9a53-0f0d3a1f7c11', ce_source: '/lehr', ce_type: 'lehr.v1.CancelRequested',
  ce_subject: 'tasks/7d9c1f7e-31a5-5d0e-8a64-0d0b5c1f2e3a', ce_time: '2026-01-02T03:04:05.678Z', ce_owner: 'default',
  ce_sequence: '00000000000000000001', ce_predecessorhash: noPredecessor,
};
const second = {
  ...first, ce_id: '5a1c7a0e-9f44-4a8e-8f0e-2b8f5d7f9c02', ce_type: 'lehr.v1.AttemptStarted', ce_sequence: '00000000000000000002',
  ce_predecessorhash: 'c9706eeda58b6408fdf5d3f0685a3377cfe87360a6e79aa958520383e4182a81', ce_owner: 'Zoë Müller 猫',
};
const third = {
  ...second, ce_id: 'c4d2b1a0-0000-4000-8000-000000000003', ce_type: 'lehr.v9.Unknown', ce_sequence: '18446744073709551615',
  ce_predecessorhash: 'ff729c42e6e98e555a41676216347b8e0647eb5a72990d8e6828e51db34432c5', ce_owner: '',
};

const vectors: readonly (readonly [title: string, record: LogRecord, length: number, hash: string])[] = [
  [
    'the first record of a stream, with an empty value', { headers: first, value: Buffer.alloc(0) },
    389, 'c9706eeda58b6408fdf5d3f0685a3377cfe87360a6e79aa958520383e4182a81',
  ],
  [
    'an owner beyond ASCII', { headers: second, value: Buffer.from('0801120161', 'hex') },
    402, 'ff729c42e6e98e555a41676216347b8e0647eb5a72990d8e6828e51db34432c5',
  ],
  [
    'an empty header, the largest sequence and every byte', { headers: third, value: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)) },
    630, '0d755f483f3810ecedfc290e19c9b49e0a0c72f1ba612cd28923d8e30e33d444',
  ],
];

for (const [title, record, length, hash] of vectors) {
  test(`the hash is to the letter of the design: ${title}`, (t) => {
    const canonical = encodeCanonical(record);
    t.deepEqual([canonical.length, hashCanonical(canonical), hashRecord(record)], [length, hash, hash]);
  });

  test(`canonical bytes can be read back: ${title}`, (t) => {
    const canonical = encodeCanonical(record);
    // In the middle of a larger buffer, as a database hands it out.
    const larger = Buffer.concat([Buffer.alloc(3, 0xff), canonical, Buffer.alloc(3, 0xff)]);
    t.deepEqual(decodeCanonical(larger.subarray(3, 3 + canonical.length)), { headers: record.headers, value: Buffer.from(record.value) });
  });

  test(`a record that was cut short is refused at every length: ${title}`, (t) => {
    const canonical = encodeCanonical(record);
    const taken = Array.from(canonical.keys()).filter((end) => {
      try {
        decodeCanonical(canonical.subarray(0, end));
        return true;
      } catch {
        return false;
      }
    });
    t.deepEqual(taken, []);
  });
}

test('the layout is lengths and bytes and nothing else', (t) => {
  const canonical = encodeCanonical({ headers: first, value: Buffer.from('!') });
  t.is(canonical.subarray(0, 13 + 36).toString('latin1'), '\0\0\0\x05ce_id\0\0\0\x240b0e9a52-6c1e-4c7e-9a53-0f0d3a1f7c11');
  t.is(canonical.subarray(-5).toString('latin1'), '\0\0\0\x01!');
});

test('no damaged bit goes unseen: it does not decode, or it decodes to what has another hash', (t) => {
  const record = { headers: second, value: Buffer.from('0801120161', 'hex') };
  const canonical = encodeCanonical(record);
  const unseen = Array.from({ length: canonical.length * 8 }, (_, bit) => bit).filter((bit) => {
    const damaged = Buffer.from(canonical);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      const decoded = decodeCanonical(damaged);
      return !encodeCanonical(decoded).equals(damaged) || hashRecord(decoded) === hashRecord(record);
    } catch {
      return false;
    }
  });
  t.deepEqual(unseen, []);
});

const good = encodeCanonical({ headers: first, value: Buffer.from('value') });
const withOwner = encodeCanonical({ headers: { ...first, ce_owner: '\ufffd' }, value: Buffer.alloc(0) });
const notUtf8 = Buffer.from(withOwner.toString('latin1').replace('\xef\xbf\xbd', '\xef\xbf\x41'), 'latin1');

const damaged: readonly (readonly [title: string, bytes: Buffer, message: RegExp])[] = [
  ['nothing at all', Buffer.alloc(0), /./],
  ['bytes that follow', Buffer.concat([good, Buffer.from([0])]), /^record is followed by other bytes$/],
  ['another header', Buffer.from(good.toString('latin1').replace('ce_id', 'ce_if'), 'latin1'), /^record has no header ce_id where it belongs$/],
  ['a header in another place', Buffer.from(good.toString('latin1').replace('ce_time', 'ce_type'), 'latin1'), /^record has no header ce_time /],
  ['a length beyond the end', Buffer.concat([Buffer.from('7fffffff', 'hex'), good.subarray(4)]), /^record is cut short$/],
  ['a header that is not UTF-8', notUtf8, /^record has a header that is not UTF-8$/],
];

for (const [title, bytes, message] of damaged) {
  test(`${title}: refused`, (t) => {
    t.throws(() => decodeCanonical(bytes), { message });
  });
}

test('a header may hold the replacement character itself', (t) => {
  t.is(decodeCanonical(withOwner).headers.ce_owner, '\ufffd');
});
