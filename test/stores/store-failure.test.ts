import test from 'ava';
import { storeFailure } from '../../src/stores/store-failure.ts';

for (const [code, reason, retryable, message] of [
  ['ENOSPC', 'REASON_STORE_FULL', true, /no room for images\/x: ENOSPC after 7 bytes/],
  ['EDQUOT', 'REASON_STORE_FULL', true, /Make room/],
  ['EIO', 'REASON_STORE_UNAVAILABLE', true, /EIO after 7 bytes. Look after the disk/],
  ['EMLINK', 'REASON_STORE_UNAVAILABLE', false, /too many clones. Delete clones that nobody needs, or import the image anew/],
] as const) {
  test(`what the system calls ${code} is told with what to do`, (t) => {
    const { message: told, ...failed } = storeFailure(Object.assign(new Error(code), { code }), 'images/x', 7);
    t.deepEqual(failed, { reason, stage: '', retryable, metadata: { path: 'images/x', bytes: '7', system_error: code } });
    t.regex(told, message);
  });
}
