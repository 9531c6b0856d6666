import { displayWidth, truncateText } from './display-width.ts';
import { escapeText } from './escape-text.ts';

/** A column of a table about items of one kind. */
export interface Column<Item> {
  readonly title: string;
  /** The cell as it came, unescaped. */
  readonly cell: (item: Item) => string;
  /** The widest that it may get on a terminal; unbounded where absent. */
  readonly maxWidth?: number;
  /** Numbers are easier to compare when they end in one line. */
  readonly isRight?: boolean;
  readonly paint?: (text: string, item: Item) => string;
}

/**
 * Lines of a table with a heading; cells are escaped. Only on a terminal (`isCut`) are long cells cut: what is piped is
 * whole. The last column is not padded, so no line ends in spaces.
 */
export function formatTable<Item>(columns: readonly Column<Item>[], items: readonly Item[], isCut: boolean): readonly string[] {
  const cut = (column: Column<Item>, text: string): string =>
    isCut && column.maxWidth !== undefined ? truncateText(text, column.maxWidth) : text;
  const rows = items.map((item) => columns.map((column) => cut(column, escapeText(column.cell(item)))));
  const titles = columns.map((column) => column.title);
  const widths = columns.map((_, index) => Math.max(...[titles, ...rows].map((row) => displayWidth(row[index] ?? ''))));
  const line = (row: readonly string[], item: Item | undefined): string =>
    columns.map((column, index) => {
      const text = row[index] ?? '';
      const padding = ' '.repeat((widths[index] ?? 0) - displayWidth(text));
      const painted = item === undefined ? text : (column.paint?.(text, item) ?? text);
      if (column.isRight === true) return padding + painted;
      return index === columns.length - 1 ? painted : painted + padding;
    }).join('  ').trimEnd();
  return [line(titles, undefined), ...rows.map((row, index) => line(row, items[index]))];
}
