import type { GatewayConfig } from '../config.ts';
import { SHORT_AUTHOR_QUERY, SHORT_TIMELINE_QUERY } from './example-queries.ts';
import { escapeHtml } from './html.ts';

/** What one sees at `/`. */
export function frontPage({ publicUrl, appViewDid, demo, webApp }: GatewayConfig): string {
  const curl = `curl ${publicUrl}/graphql \\
  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"query":"{ timeline { edges { node { text } } } }"}'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Stratos Gateway</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/front-page.css">
</head>
<body>
<main>
  <header>
    <img src="/assets/icon.svg" alt="" width="44" height="44">
    <h1>Stratos Gateway</h1>
    <p class="lead">Private posts on AT&nbsp;Protocol, for exactly those who may read them.
    Ask one endpoint; what comes back is verified, and only what <em>you</em> share a boundary with.</p>
    <nav aria-label="Main">
      ${webApp ? '<a class="primary" href="/app/">Open the web app</a>' : ''}
      <a class="primary" href="/graphiql">Open GraphiQL</a>
      ${demo ? '<span class="hint">Sign in as a demo account there, with one click.</span>' : ''}
    </nav>
  </header>
  <section aria-labelledby="try">
    <h2 id="try">A timeline</h2>
    <pre><code>${escapeHtml(SHORT_TIMELINE_QUERY)}</code></pre>
    <h2>One author</h2>
    <pre><code>${escapeHtml(SHORT_AUTHOR_QUERY)}</code></pre>
    <h2>From a terminal</h2>
    <pre><code>${escapeHtml(curl)}</code></pre>
  </section>
  <section aria-labelledby="doors">
    <h2 id="doors">Three doors, one answer</h2>
    <dl>
      <dt>GraphQL</dt><dd><code>POST /graphql</code>, with Relay connections. The schema: <a href="/schema.graphql">schema.graphql</a></dd>
      <dt>tRPC</dt><dd><code>/trpc</code>, fully typed with <code>@stratos/client-trpc</code>. To try it: <a href="/trpc-panel">the panel</a></dd>
      <dt>XRPC</dt><dd><code>zone.stratos.feed.getTimeline</code>, <code>getAuthorFeed</code>, <code>getPost</code> and others. All of them: <a href="/lexicons">the lexicons</a></dd>
    </dl>
  </section>
  <section aria-labelledby="how">
    <h2 id="how">Signing in</h2>
    <p>Ask your PDS for a service-auth token (<code>com.atproto.server.getServiceAuth</code>) with
    <code>aud</code> <code>${escapeHtml(appViewDid)}</code> and <code>lxm</code>
    <code>zone.stratos.gateway.createSession</code>, and exchange it by
    <code>POST /xrpc/zone.stratos.gateway.createSession</code> for a session of ten minutes.</p>
  </section>
  <footer>
    <a href="/ready">Status</a>
    <a href="/.well-known/did.json">DID document</a>
    <a href="https://atproto.com">AT Protocol</a>
  </footer>
</main>
</body>
</html>
`;
}
