import { tick } from 'svelte';
import { hrefOf, parseRoute, type Route } from '../routes.ts';

/** Which screen is shown, and how far down each was read. */
class Router {
  hash = $state(location.hash);
  readonly route: Route = $derived(parseRoute(this.hash));
  readonly #scrolled = new Map<string, number>();
  #isBack = false;

  /** Follows the address. Answers what ends it. */
  follow(): () => void {
    const stop = new AbortController();
    const { signal } = stop;
    // What OAuth came back with is not there any more.
    this.hash = location.hash;
    history.scrollRestoration = 'manual';
    addEventListener('popstate', () => this.#show(), { signal });
    addEventListener('scroll', () => this.#scrolled.set(this.hash, scrollY), {
      signal,
      passive: true,
    });
    addEventListener('click', (event) => this.#onClick(event), { signal });
    return () => stop.abort();
  }

  go(route: Route): void {
    const hash = hrefOf(route);
    if (hash === this.hash) return;
    history.pushState(null, '', hash);
    this.#isBack = false;
    this.#set(hash);
  }

  /** A click on a link to another screen is told from going back, where the old place is looked up. */
  #onClick(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey) return;
    const link = event.target instanceof Element ? event.target.closest('a[href^="#/"]') : null;
    if (!link) return;
    event.preventDefault();
    const hash = link.getAttribute('href') ?? '#/';
    if (hash === this.hash) scrollTo({ top: 0 });
    else this.go(parseRoute(hash));
  }

  #show(): void {
    this.#isBack = true;
    this.#set(location.hash);
  }

  async #set(hash: string): Promise<void> {
    const top = this.#isBack ? (this.#scrolled.get(hash) ?? 0) : 0;
    this.hash = hash;
    await tick();
    scrollTo({ top });
    // Whoever does not see the screen is told that it is another.
    const main = document.getElementById('main');
    if (!main?.contains(document.activeElement)) main?.focus({ preventScroll: true });
  }
}

export const router = new Router();
