import { createRequire } from 'node:module';

const patched = new Set<string>();

/**
 * Replaces a method inside kafkajs by what `make` makes of it, once in the process; `module` is the path of the class in the package.
 */
export function patchKafkajs<T, K extends keyof T & string>(module: string, method: K, make: (original: T[K]) => T[K]): void {
  const name = `${module} ${method}`;
  if (patched.has(name)) return;
  patched.add(name);
  const { prototype } = createRequire(import.meta.url)(`kafkajs/src/${module}`) as { readonly prototype: T };
  prototype[method] = make(prototype[method]);
}
