import { InvalidArgumentError } from 'commander';

/** Reads how many items to list: 1 to 1,000,000. */
export function parseCount(text: string): number {
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 1_000_000) throw new InvalidArgumentError('Write a number from 1 to 1000000.');
  return count;
}
