import path from 'node:path';

import type { Tool } from './tool-list.ts';

const root = path.resolve(import.meta.dirname, '..');

/** One sentence about a tool that is missing: what is skipped without it, and how to get it. */
export function missingTool({ name, skipped, source }: Tool): string {
  const command = source.kind === 'packages' ? ['apt-get', 'install', ...source.packages] : source.command;
  // Paths as somebody types them who stands in the checkout.
  const typed = command.map((part) => (part === process.execPath ? 'node' : part.startsWith(root) ? path.relative(root, part) : part));
  return `${name} is missing; without it ${skipped}. Install it with: ${typed.join(' ')}`;
}
