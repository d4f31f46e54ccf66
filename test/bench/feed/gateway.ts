import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig, startGateway } from '@stratos/gateway';
import { toDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { People, Person } from '../people.ts';
import { type Statement, Statements } from './statements.ts';

const APPVIEW_DID = toDid('did:web:localhost%3A4000');
const { $nsid } = zone.stratos.feed.getTimeline;

/** What the gateway asks the database for a page of the timeline, in one transaction. */
export interface PageStatements {
  /** Finds what the viewer may read, and tells it to the transaction. */
  scope: Statement;
  /** Finds the page. */
  skeleton: Statement;
}

/** The statements by which the gateway finds a page of the timeline, for each viewer. */
export async function pageStatements(
  databaseUrl: string,
  { people, limit }: { people: People; limit: number },
): Promise<PageStatements[]> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'stratos-bench-'));
  opened.defer(() => rm(folder, { recursive: true }));
  const gateway = opened.use(
    await startGateway(
      readConfig({
        LOG_LEVEL: 'silent',
        DATABASE_URL: databaseUrl,
        GATEWAY_PORT: '0',
        GATEWAY_PUBLIC_URL: 'http://localhost:4000',
        APPVIEW_DID,
        APPVIEW_KEY_FILE: join(folder, 'appview.key'),
        STRATOS_PLC_URL: people.directory.origin,
        STRATOS_DEV_MODE: 'true',
        GATEWAY_VIEWER_COST_PER_MINUTE: '1000000000',
      }),
    ),
  );
  const url = `http://127.0.0.1:${gateway.port}/xrpc/${$nsid}?limit=${limit}`;
  const found: PageStatements[] = [];
  for (const viewer of people.list) found.push(await statementsOf(url, viewer));
  return found;
}

/** The posts of the bench have no content, so the answer shows none; what was asked is real. */
async function statementsOf(url: string, viewer: Person): Promise<PageStatements> {
  using statements = new Statements();
  const authorization = await viewer.authorization(APPVIEW_DID, $nsid);
  const response = await fetch(url, { headers: { authorization } });
  const answer = await response.text();
  const scope = statements.sent.find(({ text }) => text.includes('stratos.viewer'));
  const skeleton = statements.sent.find(({ text }) => text.includes('stratos_post_boundary'));
  if (!scope || !skeleton)
    throw new Error(`the gateway asked for no posts: ${response.status} ${answer}`);
  return { scope, skeleton };
}
