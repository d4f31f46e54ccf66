import { readFileSync } from 'node:fs';
import * as graphiql from '@graphql-yoga/render-graphiql/graphiql';

interface Asset {
  type: string;
  body: Buffer;
}

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** What the pages load, by name. GraphiQL comes whole from its package, nothing from elsewhere. */
export function loadAssets(): Map<string, Asset> {
  return new Map([
    ['icon.svg', file('icon.svg', 'image/svg+xml')],
    ['front-page.css', file('front-page.css', STYLE)],
    ['accounts.css', file('accounts.css', STYLE)],
    ['accounts.js', file('accounts.js', SCRIPT)],
    ['start.js', file('start.js', SCRIPT)],
    ['trpc-panel.css', file('trpc-panel.css', STYLE)],
    ['trpc-panel.js', file('trpc-panel.js', SCRIPT)],
    ['graphiql.css', text(graphiql.css, STYLE)],
    ['graphiql.js', text(graphiql.js, SCRIPT)],
    ['worker-editorWorkerService.js', text(graphiql.editorWorkerService, SCRIPT)],
    ['worker-json.js', text(graphiql.jsonWorker, SCRIPT)],
    ['worker-graphql.js', text(graphiql.graphqlWorker, SCRIPT)],
  ]);
}

function file(name: string, type: string): Asset {
  return { type, body: readFileSync(new URL(`./assets/${name}`, import.meta.url)) };
}

function text(content: string, type: string): Asset {
  return { type, body: Buffer.from(content) };
}
