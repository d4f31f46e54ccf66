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

/** The statement by which the gateway finds a page of the timeline, for each viewer. */
export async function skeletonStatements(
  databaseUrl: string,
  { people, limit }: { people: People; limit: number },
): Promise<Statement[]> {
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
      }),
    ),
  );
  const url = `http://127.0.0.1:${gateway.port}/xrpc/${$nsid}?limit=${limit}`;
  const found: Statement[] = [];
  for (const viewer of people.list) found.push(await skeletonStatement(url, viewer));
  return found;
}

/** The posts of the bench have no content, so the answer shows none; what was asked is real. */
async function skeletonStatement(url: string, viewer: Person): Promise<Statement> {
  using statements = new Statements();
  const authorization = await viewer.authorization(APPVIEW_DID, $nsid);
  const response = await fetch(url, { headers: { authorization } });
  const answer = await response.text();
  const skeleton = statements.sent.find(({ text }) => text.includes('stratos_post_boundary'));
  if (!skeleton) throw new Error(`the gateway asked for no posts: ${response.status} ${answer}`);
  return skeleton;
}
