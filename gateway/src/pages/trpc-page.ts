import type { GatewayConfig } from '../config.ts';
import { accountsBar, pageSettings } from './accounts-bar.ts';
import { procedureForms } from './trpc-procedures.ts';

/** A panel in which procedures of tRPC are tried out. */
export function trpcPage(config: GatewayConfig): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>tRPC · Stratos Gateway</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/accounts.css">
<link rel="stylesheet" href="/assets/trpc-panel.css">
</head>
<body>
${accountsBar(config)}
<noscript>The panel needs JavaScript.</noscript>
<main id="panel">
  <nav aria-label="Procedures"></nav>
  <form>
    <h1></h1>
    <label for="input">Input, as JSON</label>
    <textarea id="input" spellcheck="false" rows="8"></textarea>
    <p><button type="submit" id="run" aria-label="Execute">Execute</button></p>
    <details><summary>What it takes</summary><pre id="schema"></pre></details>
  </form>
  <pre id="answer" role="status" aria-label="Answer"></pre>
</main>
${pageSettings(config, { procedures: procedureForms() })}
<script src="/assets/accounts.js"></script>
<script src="/assets/trpc-panel.js"></script>
</body>
</html>
`;
}
