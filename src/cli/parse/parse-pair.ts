import { InvalidArgumentError } from 'commander';

/** Collects `key=value` options that may be given several times. Throws without a key or an equals sign, or when a key comes twice. */
export function collectPair(text: string, previous: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Write KEY=VALUE.');
  const key = text.slice(0, equals);
  if (Object.hasOwn(previous, key)) throw new InvalidArgumentError(`'${key}' is given twice.`);
  return Object.fromEntries([...Object.entries(previous), [key, text.slice(equals + 1)]]);
}

/** Collects words that may be given several times. */
export function collectWord(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, text];
}
