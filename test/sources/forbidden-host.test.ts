import test from 'ava';
import { isForbiddenHost } from '../../src/sources/forbidden-host.ts';

const forbidden = [
  '169.254.169.254',
  '169.254.0.0',
  '169.254.255.255',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fe80::1',
  'febf:ffff::1',
  'fe80::1%eth0',
  'fd00:ec2::254',
  'FD00:EC2::254',
  'fd00:0ec2:0:0:0:0:0:254',
  'fd20:ce::254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::169.254.169.254',
  '::ffff:0:169.254.169.254',
  '64:ff9b::169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a9fe:a9fe',
  '64:ff9b::6464:64c8',
  '2002:a9fe:a9fe::1',
  'metadata.google.internal',
  'Metadata.Google.Internal.',
  'metadata.goog',
  'instance-data',
];

const allowed = ['127.0.0.1', '10.0.0.1', '169.253.255.255', '169.255.0.0', '8.8.8.8', '::1', 'fec0::1', 'fd00::1', '2001:db8::1',
  '64:ff9b::8.8.8.8', '::ffff:127.0.0.1', '2002:808:808::1', 'example.com', 'metadata.example.com', '169.254.169.254.example.com'];

for (const host of forbidden) test(`${host} is never contacted`, (t) => t.true(isForbiddenHost(host)));
for (const host of allowed) test(`${host} may be contacted`, (t) => t.false(isForbiddenHost(host)));
