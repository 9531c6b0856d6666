import { randomBytes } from 'node:crypto';
import { BytesPool } from '../../src/bytes/bytes-pool.ts';
import { FailureError } from '../../src/domain/failures.ts';
import { buildRaw, mbr } from '../formats/build/raw.ts';

/* Started by store-full.test.ts where files or the file system are bounded: writes until it fails, and prints the failure. */

const [path = ''] = process.argv.slice(2);
const pool = new BytesPool(1);
const sink = pool.openSink({ path, name: 'staging/a', declared: 'DISK_FORMAT_RAW', onFailure: () => undefined });
// Zeros would fill nothing.
const noise = randomBytes(1024 * 1024);
try {
  await sink.write(buildRaw(mbr).subarray(0, 4096));
  for (let mebibytes = 0; mebibytes < 64; mebibytes += 1) await sink.write(noise);
  await sink.finish();
} catch (error) {
  if (!(error instanceof FailureError)) throw error;
  process.stdout.write(JSON.stringify(error.failure));
}
await pool.close();
