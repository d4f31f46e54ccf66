import type { GatewayConfig } from '../config.ts';
import { accountsBar, pageSettings } from './accounts-bar.ts';
import { EXAMPLES } from './example-queries.ts';

/** GraphiQL, with a bar of demo accounts in the local network. All of it is served from here. */
export function graphiqlPage(config: GatewayConfig): string {
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
${accountsBar(config)}
<noscript>GraphiQL needs JavaScript.</noscript>
<div id="root"></div>
${pageSettings(config, { examples: EXAMPLES })}
<script src="/assets/accounts.js"></script>
<script src="/assets/graphiql.js"></script>
<script src="/assets/start.js"></script>
</body>
</html>
`;
}
