import type { GatewayConfig } from '../config.ts';
import { escapeHtml, scriptJson } from './html.ts';

/** The bar at the top of a page for trying things out: demo accounts, in the local network. */
export function accountsBar({ demo }: GatewayConfig): string {
  const accounts = (demo?.accounts ?? []).map(
    ({ handle }) =>
      `<button type="button" data-handle="${escapeHtml(handle)}" aria-pressed="false">${escapeHtml(handle)}</button>`,
  );
  return `<header id="bar">
  <a href="/" class="home"><img src="/assets/icon.svg" alt="" width="20" height="20"> Stratos Gateway</a>
  ${accounts.length > 0 ? `<div role="group" aria-label="Sign in as"><span aria-hidden="true">Sign in as</span>${accounts.join('')}</div>` : ''}
  <p id="who" role="status">Not signed in</p>
</header>`;
}

/** What the scripts of such a page are told: what is tried out there, and who can sign in. */
export function pageSettings({ demo, appViewDid }: GatewayConfig, tried: object): string {
  const accounts = demo && { pdsUrl: demo.pdsUrl, audience: appViewDid, accounts: demo.accounts };
  const settings = scriptJson({ ...tried, demo: accounts });
  return `<script type="application/json" id="settings">${settings}</script>`;
}
