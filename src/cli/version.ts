import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The version in the package's own manifest, found the same way from the sources and from the compiled files. */
export async function readVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(fileURLToPath(import.meta.resolve('lehr/package.json')), 'utf8')) as { readonly version: string };
  return manifest.version;
}
