import { collectPages } from './collect-pages.ts';
import type { Page } from './collect-pages.ts';
import type { CommandContext } from './command-context.ts';
import { formatTable } from './output/table.ts';
import type { Column } from './output/table.ts';

/** How many items a list shows where nobody says otherwise. */
export const defaultLimit = 50;

/** Rows that are aligned with one another; a longer table is printed in parts, so that memory does not grow with it. */
const alignedRows = 1_000;

/** Prints a list: a table, or one object per line with `--json`. Says on stderr when there is nothing, or more than asked for. */
export async function printList<Item extends object>(
  { output }: CommandContext, what: string, columns: readonly Column<Item>[], limit: number,
  fetchPage: (pageSize: number, pageToken: string) => Promise<Page<Item>>,
): Promise<void> {
  const pages = collectPages(limit, fetchPage);
  let count = 0;
  let rows: Item[] = [];
  const flush = async (): Promise<void> => {
    if (rows.length > 0) await output.lines(...formatTable(columns, rows, output.isTerminal));
    rows = [];
  };
  for (;;) {
    const page = await pages.next();
    if (page.done === true) {
      await flush();
      if (count === 0) output.note(`no ${what}`);
      if (page.value.hasMore) output.note(`there are more ${what}: see them with --limit ${limit * 10}`);
      return;
    }
    count += page.value.length;
    if (output.isJson) for (const item of page.value) await output.json(item);
    else rows.push(...page.value);
    if (rows.length >= alignedRows) await flush();
  }
}
