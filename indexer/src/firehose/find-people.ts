import { zone } from '@stratos/protocol/lexicons';
import { z } from 'zod';

const REPOS_PER_PAGE = 500;
/** Relays know who has records of a collection; a PDS only lists everybody. */
const OF_COLLECTION = 'com.atproto.sync.listReposByCollection';
const OF_ALL = 'com.atproto.sync.listRepos';

const page = z.object({
  repos: z.array(z.object({ did: z.string() })),
  cursor: z.string().optional(),
});

/** A source does not say whose repos it has. */
export class FindPeopleError extends Error {
  override name = 'FindPeopleError';
}

/** Everybody who may have an enrollment, as a relay or PDS says, in pages. */
export async function* findPeople(
  fetch: typeof globalThis.fetch,
  source: string,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  const collection = zone.stratos.actor.enrollment.$nsid;
  const asked = await ask(fetch, source, OF_COLLECTION, { collection }, signal);
  const [method, params] = asked.ok ? [OF_COLLECTION, { collection }] : [OF_ALL, {}];
  let response = asked.ok ? asked : await ask(fetch, source, OF_ALL, {}, signal);
  for (;;) {
    if (!response.ok) throw new FindPeopleError(`the source answers ${response.status}`);
    const { repos, cursor } = page.parse(await response.json());
    yield repos.map(({ did }) => did);
    if (cursor === undefined) return;
    response = await ask(fetch, source, method, { ...params, cursor }, signal);
  }
}

async function ask(
  fetch: typeof globalThis.fetch,
  source: string,
  method: string,
  params: Record<string, string>,
  signal: AbortSignal,
): Promise<Response> {
  const query = new URLSearchParams({ ...params, limit: String(REPOS_PER_PAGE) });
  const response = await fetch(new URL(`/xrpc/${method}?${query}`, source), { signal });
  if (!response.ok) await response.body?.cancel();
  return response;
}
