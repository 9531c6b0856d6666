import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const PACKAGE_FOLDER = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;

const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\.|$)/i;

/**
 * The licences of the packages whose files are among `inputs` (paths from `root`), as one text: their terms ask that it goes wherever
 * their code goes. Throws where a package states neither a licence nor a text of one.
 */
export async function bundledLicences(root: string, inputs: readonly string[]): Promise<string> {
  const folders = new Set(inputs.flatMap((input) => PACKAGE_FOLDER.exec(input)?.[1] ?? []));
  const texts = await Promise.all([...folders].sort().map((folder) => licenceOf(path.join(root, folder))));
  return `The files beside this one hold code of these packages.\n\n${texts.join('\n')}`;
}

async function licenceOf(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as { name: string; version: string; license?: string };
  const names = (await readdir(folder)).filter((name) => LICENCE_FILE.test(name)).sort();
  if (manifest.license === undefined && names.length === 0) throw new Error(`${manifest.name} is to be bundled, and states no licence`);
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  return [`## ${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})`, '', ...texts.map((text) => text.trim()), ''].join('\n');
}
