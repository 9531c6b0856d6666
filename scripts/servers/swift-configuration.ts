import { userInfo } from 'node:os';
import path from 'node:path';

/** An account of tempauth with one user in it, who may do everything there; s3api takes `account:user` and the key as its pair of keys. */
export type SwiftUser = { readonly account: string; readonly user: string; readonly key: string };

/** The middleware that public clouds run between clients and the proxy, as far as clients see it, in the order that Swift asks for. */
const PIPELINE = ['catch_errors', 'gatekeeper', 'healthcheck', 'listing_formats', 'bulk', 's3api', 'tempauth', 'copy', 'slo', 'dlo'];

/** What is said about single pieces of middleware. */
const details = (users: readonly SwiftUser[]): Readonly<Record<string, readonly string[]>> => ({
  // The smallest part that S3 allows is 5 MiB, which would make the tests of multipart uploads slow.
  s3api: ['min_segment_size = 1'],
  tempauth: users.map(({ account, user, key }) => `user_${account}_${user} = ${key} .admin`),
  slo: ['min_segment_size = 1'],
});

const common = (folder: string): readonly string[] => [
  '[DEFAULT]',
  `swift_dir = ${folder}`,
  `devices = ${path.join(folder, 'devices')}`,
  'mount_check = false',
  'disable_fallocate = true',
  `user = ${userInfo().username}`,
  'log_level = ERROR',
];

/** The files of a whole Swift in `folder`, by name. */
export function swiftConfiguration(folder: string, users: readonly SwiftUser[]): Readonly<Record<string, readonly string[]>> {
  const told = details(users);
  return {
    'swift.conf': ['[swift-hash]', 'swift_hash_path_suffix = lehr', '[storage-policy:0]', 'name = only', 'default = yes'],
    ...Object.fromEntries(['account', 'container', 'object'].map((server) => [
      `${server}-server.conf`,
      [...common(folder), '[pipeline:main]', `pipeline = ${server}-server`, `[app:${server}-server]`, `use = egg:swift#${server}`],
    ])),
    'proxy-server.conf': [
      ...common(folder),
      '[pipeline:main]',
      `pipeline = ${PIPELINE.join(' ')} proxy-server`,
      '[app:proxy-server]',
      'use = egg:swift#proxy',
      'account_autocreate = true',
      ...PIPELINE.flatMap((name) => [`[filter:${name}]`, `use = egg:swift#${name}`, ...(told[name] ?? [])]),
    ],
  };
}
