import { programAt, searchPathOf } from '../../src/sandbox/find-program.ts';
import { probeSandbox } from '../../src/sandbox/probe-sandbox.ts';

/**
 * Runs a program in the sandbox that waits for ever, until this process is killed:
 * `node service-that-dies.ts <search path> <seconds>`.
 */
const [, , searchPath = '', seconds = ''] = process.argv;
const sandbox = await probeSandbox({ sandbox: 'weak', searchPath: searchPath === '' ? searchPathOf(undefined) : searchPath, onStart: () => undefined });
if (sandbox.kind === 'none') throw new Error(sandbox.missing);
const program = await programAt('/bin/sleep', () => undefined);
await sandbox.run({ program, files: [], args: () => [seconds], fileBytes: 0 }, new AbortController().signal);
