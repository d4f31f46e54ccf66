import { createHash } from 'node:crypto';
import { printGraphqlSchema } from '@stratos/schema';
import { Router } from 'express';
import type { GatewayConfig } from '../config.ts';
import { loadAssets } from './assets.ts';
import { frontPage } from './front-page.ts';
import { graphiqlPage } from './graphiql-page.ts';
import { lexiconsPage } from './lexicons-page.ts';
import { pageHeaders } from './security-headers.ts';
import { trpcPage } from './trpc-page.ts';
import { webAppRoutes } from './web-app.ts';

/** The pages for people: what this is, and each of its surfaces to read about and to try. */
export function pageRoutes(config: GatewayConfig): Router {
  const router = Router();
  const schema = printGraphqlSchema();
  router.get('/', pageHeaders(), (_req, res) => {
    res.type('html').send(frontPage(config));
  });
  const lexicons = lexiconsPage();
  router.get('/lexicons', pageHeaders(), (_req, res) => {
    res.type('html').send(lexicons);
  });
  const demoConnects = config.demo ? [new URL(config.demo.pdsUrl).origin] : [];
  for (const [path, page] of [
    ['/graphiql', graphiqlPage(config)],
    ['/trpc-panel', trpcPage(config)],
  ] as const) {
    router.get(path, pageHeaders(demoConnects), (_req, res) => {
      res.setHeader('Cache-Control', 'no-store');
      res.type('html').send(page);
    });
  }
  router.get('/schema.graphql', (_req, res) => {
    res.type('text/plain').send(schema);
  });
  for (const [name, { type, body }] of loadAssets()) {
    const tag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    router.get(`/assets/${name}`, pageHeaders(), (req, res) => {
      res.setHeader('Cache-Control', 'no-cache');
      res.setHeader('ETag', tag);
      if (req.headers['if-none-match'] === tag) res.status(304).end();
      else res.type(type).send(body);
    });
  }
  if (config.webApp) router.use('/app', webAppRoutes(config.webApp.folder, config));
  return router;
}
