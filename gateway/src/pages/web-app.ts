import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { type RequestHandler, Router } from 'express';
import type { GatewayConfig } from '../config.ts';
import { framelessHeaders } from './security-headers.ts';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};
/** Names there have a hash of what is in the file. */
const HASHED = 'assets';
const METADATA = 'client-metadata.json';

/** The web app, as it was built, told of this gateway. */
export function webAppRoutes(folder: string, config: GatewayConfig): Router {
  const router = Router();
  const address = `${config.publicUrl}/app/`;
  router.use(webAppHeaders(config));
  router.get('/', (req, res, next) => {
    // Everything in the page is relative to this address.
    if (req.originalUrl.startsWith('/app/')) next();
    else res.redirect(308, '/app/');
  });
  router.get('/config.json', (_req, res) => {
    res.setHeader('Cache-Control', 'no-cache');
    res.json(webAppConfig(config, address));
  });
  const metadata = JSON.parse(readFileSync(join(folder, METADATA), 'utf8'));
  router.get(`/${METADATA}`, (_req, res) => {
    res.json({
      ...metadata,
      client_id: address + METADATA,
      client_uri: address,
      redirect_uris: [address],
    });
  });
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = TYPES[extname(name)];
    if (type) router.get(name === 'index.html' ? '/' : `/${name}`, file(join(folder, name), type));
  }
  return router;
}

function file(path: string, type: string): RequestHandler {
  const body = readFileSync(path);
  const tag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  const isHashed = path.includes(`/${HASHED}/`);
  return (req, res) => {
    res.setHeader('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    res.setHeader('ETag', tag);
    if (req.headers['if-none-match'] === tag) res.status(304).end();
    else res.type(type).send(body);
  };
}

function webAppConfig(config: GatewayConfig, address: string): object {
  const { appViewDid, publicUrl, plcUrl, handleResolverUrl, webApp, demo } = config;
  return {
    gateway: { did: appViewDid, url: publicUrl },
    plcUrl,
    handleResolver: handleResolverUrl,
    // OAuth knows pages of the loopback without metadata.
    clientId: publicUrl.startsWith('https:') ? address + METADATA : undefined,
    nodes: webApp?.nodes,
    accounts: demo?.accounts.map(({ handle }) => handle),
  };
}

/**
 * Scripts and styles come from here alone, and no text becomes a script. Which PDS and nodes people have is
 * not known beforehand, so it may connect to any, by https.
 */
function webAppHeaders({ devMode, publicUrl }: GatewayConfig): RequestHandler {
  const connections = ["'self'", 'https:', new URL(publicUrl).origin];
  if (devMode) connections.push('http://localhost:*', 'http://127.0.0.1:*');
  return framelessHeaders([
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    `connect-src ${[...new Set(connections)].join(' ')}`,
    "require-trusted-types-for 'script'",
    'trusted-types svelte-trusted-html',
  ]);
}
