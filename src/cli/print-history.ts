import { collectPages } from './collect-pages.ts';
import type { CommandContext } from './command-context.ts';
import { formatEvent } from './output/event-line.ts';

/** Prints all events of one stream (`tasks/<id>` or `images/<id>`), oldest first, page by page. */
export async function printHistory({ api, output, signal }: CommandContext, subject: string): Promise<void> {
  const pages = collectPages(Infinity, async (pageSize, pageToken) => {
    const page = await api.listEvents({ subject, pageSize, pageToken, readToken: '' }, signal);
    return { items: page.events, nextPageToken: page.nextPageToken };
  });
  for await (const events of pages) {
    if (output.isJson) for (const event of events) await output.json(event);
    else await output.lines(...events.map(formatEvent));
  }
}
