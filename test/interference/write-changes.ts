import type { Client } from 'pg';
import { type Change, goneFrom, touchedPosts } from './changes.ts';
import type { Signer } from './signer.ts';
import { insert, writeMembers, writePosts } from './write-world.ts';

interface Told {
  kind: 'post' | 'gone' | 'membership' | 'account' | 'node';
  node?: string;
  did?: string;
  uri?: string;
  boundaries?: readonly string[];
}

/** Has changes happen at once, and tells of them in their order as the indexer does. */
export async function writeChanges(
  client: Client,
  changes: readonly Change[],
  signer: Signer,
): Promise<void> {
  const touched = touchedPosts(changes).map(({ uri, node }) => ({ uri, node }));
  const posts = changes.flatMap((change) => (change.kind === 'post' ? (change.after ?? []) : []));
  const members = changes.flatMap((change) => (change.kind === 'membership' ? change.after : []));
  await client.query('begin');
  for (const table of ['stratos_post', 'stratos_stub']) {
    await client.query(
      `delete from ${table} using jsonb_to_recordset($1) as given(uri text, node text)
      where ${table}.uri = given.uri and ${table}.node_did = given.node`,
      [JSON.stringify(touched)],
    );
  }
  await client.query(
    `delete from stratos_membership m using jsonb_to_recordset($1) as given(did text, node text)
    where m.did = given.did and m.node_did = given.node`,
    [JSON.stringify(members)],
  );
  await writePosts(client, posts, signer);
  await writeMembers(client, { members }, signer);
  await insert(client, 'stratos_change (kind, node_did, did, uri, boundaries)', {
    rows: changes.flatMap(tell),
    columns: `kind, node, did, uri, coalesce(boundaries, '{}')`,
    types: 'kind text, node text, did text, uri text, boundaries text[]',
  });
  await client.query(`select pg_notify('stratos_change', '')`);
  await client.query('commit');
}

function tell(change: Change): Told[] {
  switch (change.kind) {
    case 'account':
      return [{ kind: 'account', did: change.did }];
    case 'node':
      return [{ kind: 'node', node: change.did }];
    case 'membership': {
      const { after, boundaries } = change;
      return [{ kind: 'membership', node: after.node, did: after.did, boundaries }];
    }
    case 'post': {
      const { before, after } = change;
      const about = before ?? after;
      if (!about) return [];
      const { uri, node, author: did } = about;
      const [left, now] = [goneFrom(change), after?.readers ?? []];
      const told = { node, did, uri };
      return [
        ...(left.length > 0 ? [{ kind: 'gone' as const, ...told, boundaries: left }] : []),
        ...(now.length > 0 ? [{ kind: 'post' as const, ...told, boundaries: now }] : []),
      ];
    }
  }
}
