/**
 * Joins what the command `lehr` and its threads load into a few files, dist/command/: a server starts in half the processor time then,
 * and so does a command, since Node spends more on a thousand modules than on their code. Called by build.ts, on the compiled code.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { build } from 'esbuild';
import type { Plugin } from 'esbuild';

import { bundledLicences } from './bundled-licences.ts';

const root = path.resolve(import.meta.dirname, '..');
const compiled = path.join(root, 'dist/src');
const target = path.join(root, 'dist/command');

/** The command, and its threads: all lie in one folder, so that whatever starts a thread finds it beside itself. */
const ENTRIES = ['cli/main', 'bytes/pool-thread', 'bytes/ranged/ranged-thread', 'projector/storage-thread', 'projector/replica-thread'];

/** Packages that read files beside themselves or are binary, those that share objects with them, and those that few deployments load. */
const APART = ['better-sqlite3', '@grpc/grpc-js', '@grpc/proto-loader', '@grpc/reflection', 'grpc-health-check', 'kafkajs', 'nats', 'lehr'];

/** A file that compiled code reads beside itself; it stays where it is. */
const DATA_FILE = /new URL\('([^']+\.(?:sql|binpb))', import\.meta\.url\)/g;

const dataFiles: Plugin = {
  name: 'data files',
  setup(esbuild) {
    esbuild.onLoad({ filter: /dist\/(src|projections)\/.*\.js$/ }, async ({ path: file }) => {
      const code = await readFile(file, 'utf8');
      const fromTarget = (name: string): string => path.relative(target, path.resolve(path.dirname(file), name));
      return { contents: code.replace(DATA_FILE, (_, name: string) => `new URL('${fromTarget(name)}', import.meta.url)`), loader: 'js' };
    });
  },
};

/** CommonJS packages in the bundle ask for Node's modules with `require`; the other name is one that no module has. */
const banner = 'import { createRequire as bundledRequire } from \'node:module\';\nconst require = bundledRequire(import.meta.url);';

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ENTRIES.map((name) => path.join(compiled, `${name}.js`)),
  entryNames: '[name]',
  outdir: target,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  external: APART,
  banner: { js: banner },
  legalComments: 'none',
  metafile: true,
  plugins: [dataFiles],
  logLevel: 'warning',
});
// The names that a CommonJS package exports are not there for whoever imports it late: that has to be done by a module of our own.
const late = Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
  imports.filter((found) => found.kind === 'dynamic-import' && !found.external && found.path.includes('node_modules/')).map((found) => `${file}: ${found.path}`));
if (late.length > 0) {
  console.error(`Import a module of this repository late instead, which imports the package:\n${late.join('\n')}`);
  process.exitCode = 1;
}
await writeFile(path.join(target, 'LICENSES.txt'), await bundledLicences(root, Object.keys(metafile.inputs)));
