import { readFileSync } from 'node:fs';

import type { Difference } from './difference.ts';

/** The page's name of each of qemu's drivers. */
const names: Readonly<Record<string, string>> = { raw: 'raw', qcow2: 'qcow2', vmdk: 'VMDK', vpc: 'VHD', vhdx: 'VHDX', vdi: 'VDI' };

const page = readFileSync(new URL('../../docs/reference/checks.md', import.meta.url), 'utf8');
const [, section = ''] = page.split('## Where qemu-img judges otherwise\n');

/** The tables of the page on what qemu-img is content with and on what it refuses: first and second cells of the rows. */
const [laxer = [], stricter = []] = section.split('\n\n').filter((block) => block.startsWith('|')).map((table) =>
  table.split('\n').slice(2).map((row) => row.split('|').slice(1, 3).map((cell) => cell.trim())));

/** The checks that the page says qemu-img does not make. */
export const explainedChecks: readonly string[] = laxer.flatMap(([, checks = '']) => [...checks.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));

/** Whether the page of checks explains a difference. What qemu-img makes of a refused image when it crashes needs no reason. */
export function isExplained({ kind, driver, outcome }: Pick<Difference, 'kind' | 'driver' | 'outcome'>): boolean {
  const isOf = ([formats = '']: readonly string[]): boolean => formats === 'all' || formats.split(', ').includes(names[driver] ?? driver);
  if (kind === 'laxer') return laxer.some((row) => isOf(row) && (row[1] ?? '').includes(`\`${outcome}\``));
  if (kind === 'stricter') return stricter.some(isOf);
  return kind === 'crashed' && outcome !== 'accepted';
}
