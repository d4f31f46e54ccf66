import { encodeRecord } from '@stratos/protocol';
import { app, zone } from '@stratos/protocol/lexicons';
import type { Client } from 'pg';
import type { Post, World } from './world.ts';

const CID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
const STATED_AT = '2026-01-01T00:00:00.000Z';
const LEASE = "case when heard then now() + interval '10 years' end";

/** Writes a world in place of the one before. */
export async function writeWorld(client: Client, world: World): Promise<void> {
  const { nodes, actors, members, stubs } = world;
  const posts = await Promise.all(world.posts.map(row));
  const cids = new Map(
    posts.map(({ uri, node, cid, flaw }) => [`${node} ${uri}`, flaw === 'disowned' ? CID : cid]),
  );
  await client.query('begin');
  await client.query(`delete from stratos_stub; delete from stratos_post; delete from stratos_membership;
    delete from stratos_actor; delete from stratos_boundary; delete from stratos_node`);
  await insert(client, 'stratos_node (did, endpoint, lease_until)', {
    rows: nodes.map(({ did, isHeard }) => ({ did, heard: isHeard })),
    columns: `did, 'https://' || substring(did from 9), ${LEASE}`,
    types: 'did text, heard boolean',
  });
  await insert(client, 'stratos_actor (did, handle, active, updated_at)', {
    rows: actors.map(({ did, handle, isActive }) => ({ did, handle, active: isActive })),
    columns: `did, handle, active, '${STATED_AT}'`,
    types: 'did text, handle text, active boolean',
  });
  const memberships = members.map(({ did, node, isActive }) => ({ did, node, active: isActive }));
  await insert(client, 'stratos_membership (did, node_did, active, seq, signing_key, issued_at)', {
    rows: memberships,
    columns: `did, node, active, 1, 'did:key:test', '${STATED_AT}'`,
    types: 'did text, node text, active boolean',
  });
  await insert(client, 'stratos_membership_boundary (did, node_did, boundary)', {
    rows: members.flatMap(({ did, node, boundaries }) =>
      boundaries.map((boundary) => ({ did, node, boundary })),
    ),
    columns: 'did, node, boundary',
    types: 'did text, node text, boundary text',
  });
  await insert(
    client,
    `stratos_post (uri, node_did, cid, did, rkey, rev, record, text, reply_root, reply_parent, quote,
      created_at, indexed_at, sort_at, boundaries)`,
    {
      rows: posts,
      columns: `uri, node, cid, author, split_part(uri, '/', 5), '3l3qo2vutsw2b', decode(record, 'base64'),
        text, parent, parent, quote, at, at, at, boundaries`,
      types: `uri text, node text, cid text, author text, record text, text text, parent text, quote text,
        at timestamptz, boundaries text[]`,
    },
  );
  await insert(client, 'stratos_post_boundary (boundary, sort_at, uri, node_did, did)', {
    rows: world.posts.flatMap(({ readers, at, uri, node, author }) =>
      readers.map((boundary) => ({ boundary, at, uri, node, author })),
    ),
    columns: 'boundary, at, uri, node, author',
    types: 'boundary text, at timestamptz, uri text, node text, author text',
  });
  await insert(client, 'stratos_stub (uri, did, node_did, subject_cid, rev)', {
    rows: stubs.map(({ uri, node }) => ({ uri, node, cid: cids.get(`${node} ${uri}`) ?? CID })),
    columns: `uri, split_part(uri, '/', 3), node, cid, '3l3qo2vutsw2b'`,
    types: 'uri text, node text, cid text',
  });
  await client.query('commit');
}

interface Rows {
  rows: readonly object[];
  columns: string;
  types: string;
}

async function insert(client: Client, into: string, { rows, columns, types }: Rows): Promise<void> {
  const text = `insert into ${into} select ${columns} from jsonb_to_recordset($1) as given(${types})`;
  await client.query(text, [JSON.stringify(rows)]);
}

async function row(post: Post) {
  const { uri, node, author, text, boundaries, at, parent, quote, flaw } = post;
  const { bytes, cid } = await encodeRecord(recordOf(post));
  const record = Buffer.from(bytes);
  if (flaw === 'altered') record.write('!', record.indexOf(text));
  return {
    uri,
    node,
    author,
    text,
    boundaries,
    at,
    parent,
    quote,
    flaw,
    cid,
    record: record.toString('base64'),
  };
}

function recordOf({ text, boundaries, at, parent, quote }: Post) {
  const { $type } = app.bsky.embed.record;
  const reference = (uri: string) => ({ uri, cid: CID });
  return {
    $type: zone.stratos.feed.post.$nsid,
    text,
    ...(parent && { reply: { root: reference(parent), parent: reference(parent) } }),
    ...(quote && { embed: { $type, record: reference(quote) } }),
    boundary: {
      $type: 'zone.stratos.boundary.defs#Domains',
      values: boundaries.map((value) => ({ value })),
    },
    createdAt: at.toISOString(),
  };
}
