/**
 * Writes what is generated from proto/ into src/gen: the types, and descriptors.binpb, from which the server describes
 * its services to clients at run time. `node scripts/generate.ts FOLDER` writes FOLDER/src/gen instead.
 */
import path from 'node:path';

import { findBuf } from './buf.ts';
import { runOrExit } from './run-or-exit.ts';

const root = path.resolve(import.meta.dirname, '..');
const base = path.resolve(process.argv[2] ?? root);

const buf = await findBuf();
await runOrExit(buf, ['generate', '--output', base], root);
const descriptors = path.join(base, 'src/gen/descriptors.binpb');
await runOrExit(buf, ['build', '--as-file-descriptor-set', '--exclude-source-info', '--output', descriptors], root);
