/** The most that the API hands out at once. */
const largestPage = 1_000;

/** One page of a list and where the next one begins; an empty token: nowhere. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
}

/** The pages of a list up to `limit` items, each asked for when the one before has been taken. Says at the end whether there are more. */
export async function* collectPages<Item>(
  limit: number, fetchPage: (pageSize: number, pageToken: string) => Promise<Page<Item>>,
): AsyncGenerator<readonly Item[], { readonly hasMore: boolean }, undefined> {
  let missing = limit;
  let token = '';
  do {
    const page = await fetchPage(Math.min(missing, largestPage), token);
    missing -= page.items.length;
    token = page.nextPageToken;
    yield page.items;
  } while (token !== '' && missing > 0);
  return { hasMore: token !== '' };
}
