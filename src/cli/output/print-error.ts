import type { CommandError } from '../command-error.ts';
import { escapeJson, escapeText } from './escape-text.ts';
import type { OutputStream } from './output.ts';

/**
 * Prints why a command ended. For people: `lehr: MESSAGE`, each violation that this does not say already, indented, then
 * what to do next. With `isJson`: one line `{"error":{code,reason,message,violations,metadata,hints}}`, the last three only
 * where there are any.
 */
export function printError(stderr: OutputStream, error: CommandError, isJson: boolean): void {
  stderr.write(isJson ? `${escapeJson(JSON.stringify({ error: errorToJson(error) }))}\n` : errorToText(error));
}

function errorToText(error: CommandError): string {
  const violations = error.violations.map(({ field, description }) => `${field}: ${description}`);
  const lines = [
    `lehr: ${escapeText(error.message)}`,
    ...violations.filter((line) => line !== error.message).map((line) => `  ${escapeText(line)}`),
    ...error.hints.map((hint) => escapeText(hint)),
  ];
  return `${lines.join('\n')}\n`;
}

function errorToJson({ code, reason, message, violations, metadata, hints }: CommandError): object {
  return {
    code,
    reason,
    message,
    ...(violations.length > 0 ? { violations } : {}),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    ...(hints.length > 0 ? { hints } : {}),
  };
}
