import path from 'node:path';

/**
 * What checks types and compiles: TypeScript 7, the native compiler, which takes a quarter of the processor time. The package
 * `typescript` is the version before it, for the linter, which cannot read types with this one yet.
 */
export const compiler = path.resolve(import.meta.dirname, '../node_modules/typescript-7/bin/tsc');
