import type { GatewayConfig } from '../config.ts';
import { TIMELINE_QUERY } from './example-queries.ts';
import { escapeHtml, scriptJson } from './html.ts';

/** GraphiQL, with a bar of demo accounts in the local network. All of it is served from here. */
export function graphiqlPage({ demo, appViewDid }: GatewayConfig): string {
  const settings = {
    defaultQuery: TIMELINE_QUERY,
    demo: demo && { pdsUrl: demo.pdsUrl, audience: appViewDid, accounts: demo.accounts },
  };
  const accounts = (demo?.accounts ?? []).map(
    ({ handle }) =>
      `<button type="button" data-handle="${escapeHtml(handle)}" aria-pressed="false">${escapeHtml(handle)}</button>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>GraphiQL · Stratos Gateway</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/graphiql.css">
<link rel="stylesheet" href="/assets/accounts.css">
</head>
<body class="no-focus-outline">
<header id="bar">
  <a href="/" class="home"><img src="/assets/icon.svg" alt="" width="20" height="20"> Stratos Gateway</a>
  ${accounts.length > 0 ? `<div role="group" aria-label="Sign in as"><span aria-hidden="true">Sign in as</span>${accounts.join('')}</div>` : ''}
  <p id="who" role="status">Not signed in</p>
</header>
<noscript>GraphiQL needs JavaScript.</noscript>
<div id="root"></div>
<script type="application/json" id="settings">${scriptJson(settings)}</script>
<script src="/assets/accounts.js"></script>
<script src="/assets/graphiql.js"></script>
<script src="/assets/start.js"></script>
</body>
</html>
`;
}
