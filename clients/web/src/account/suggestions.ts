import type { Config } from '../config.ts';

const MOST = 6;
const MIN_LENGTH = 2;
const TYPEAHEAD = '/xrpc/app.bsky.actor.searchActorsTypeahead';

/** Services that do not tell. */
const silent = new Set<string>();

/**
 * Handles that begin with what somebody types: accounts that this page offers, or those that the service that
 * knows handles tells of, where it does.
 */
export async function suggestHandles(
  typed: string,
  { accounts, handleResolver }: Pick<Config, 'accounts' | 'handleResolver'>,
  signal: AbortSignal,
): Promise<string[]> {
  const text = typed.replace(/^@/, '').trim().toLowerCase();
  if (accounts.length > 0)
    return accounts.filter((handle) => handle.startsWith(text)).slice(0, MOST);
  if (text.length < MIN_LENGTH || silent.has(handleResolver)) return [];
  return ask(text, handleResolver, signal).catch(() => []);
}

async function ask(text: string, service: string, signal: AbortSignal): Promise<string[]> {
  const url = new URL(TYPEAHEAD, service);
  url.search = new URLSearchParams({ q: text, limit: String(MOST) }).toString();
  const response = await fetch(url, { signal });
  if (!response.ok) {
    silent.add(service);
    return [];
  }
  const { actors } = Object(await response.json());
  if (!Array.isArray(actors)) return [];
  return actors.map((actor) => Object(actor).handle).filter((handle) => typeof handle === 'string');
}
