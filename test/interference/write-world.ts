import type { Client } from 'pg';
import { ANY_CID, type Signer, STATED_AT } from './signer.ts';
import { keyOf, type Post, type World } from './world.ts';

const LEASE = "case when heard then now() + interval '10 years' end";

/** Writes a world in place of the one before. */
export async function writeWorld(client: Client, world: World, signer: Signer): Promise<void> {
  const { nodes, actors, posts } = world;
  await client.query('begin');
  await client.query(`delete from stratos_stub; delete from stratos_post; delete from stratos_proof;
    delete from stratos_membership; delete from stratos_actor; delete from stratos_boundary;
    delete from stratos_node`);
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
  await writeMembers(client, world, signer);
  await writePosts(client, posts, signer);
  await writeStubs(client, world, signer);
  await client.query('commit');
}

export async function writeMembers(
  client: Client,
  { members }: Pick<World, 'members'>,
  signer: Signer,
): Promise<void> {
  const rows = members.map(async (member) => {
    const { did, node, isActive: active } = member;
    const entry = active ? (await signer.entry(member)).toString('base64') : null;
    return { did, node, active, entry, key: signer.keyOf(did, node) };
  });
  await insert(
    client,
    'stratos_membership (did, node_did, active, seq, signing_key, issued_at, entry)',
    {
      rows: await Promise.all(rows),
      columns: `did, node, active, 1, key, '${STATED_AT}', decode(entry, 'base64')`,
      types: 'did text, node text, active boolean, key text, entry text',
    },
  );
  await insert(client, 'stratos_membership_boundary (did, node_did, boundary)', {
    rows: members.flatMap(({ did, node, boundaries }) =>
      boundaries.map((boundary) => ({ did, node, boundary })),
    ),
    columns: 'did, node, boundary',
    types: 'did text, node text, boundary text',
  });
}

export async function writePosts(
  client: Client,
  posts: readonly Post[],
  signer: Signer,
): Promise<void> {
  const rows = await Promise.all(posts.map((post) => rowOf(post, signer)));
  await insert(client, 'stratos_proof (did, node_did, rev, commit, signing_key, car)', {
    rows: rows.filter(({ rev }) => rev !== undefined),
    columns: `author, node, rev, commit, "signingKey", decode(car, 'base64')`,
    types: 'author text, node text, rev text, commit text, "signingKey" text, car text',
  });
  await insert(
    client,
    `stratos_post (uri, node_did, cid, did, rkey, rev, record, text, reply_root, reply_parent, quote,
      created_at, indexed_at, sort_at, boundaries, proof_rev)`,
    {
      rows,
      columns: `uri, node, cid, author, split_part(uri, '/', 5), '3l3qo2vutsw2b', decode(record, 'base64'),
        text, parent, parent, quote, at, at, at, boundaries, rev`,
      types: `uri text, node text, cid text, author text, record text, text text, parent text, quote text,
        at timestamptz, boundaries text[], rev text`,
    },
  );
  await insert(
    client,
    'stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)',
    {
      rows: rows.flatMap(({ readers, at, uri, node, author, cid }) =>
        readers.map((boundary) => ({ boundary, at, uri, node, author, cid })),
      ),
      columns: 'boundary, at, uri, node, author, cid, at',
      types: 'boundary text, at timestamptz, uri text, node text, author text, cid text',
    },
  );
}

async function writeStubs(client: Client, world: World, signer: Signer): Promise<void> {
  const { posts, stubs } = world;
  const cids = new Map<string, string>();
  for (const post of posts) {
    cids.set(keyOf(post), post.flaw === 'disowned' ? ANY_CID : (await signer.post(post)).cid);
  }
  await insert(client, 'stratos_stub (uri, did, node_did, subject_cid, rev)', {
    rows: stubs.map(({ uri, node }) => ({
      ...{ uri, node },
      cid: cids.get(keyOf({ uri, node })) ?? ANY_CID,
    })),
    columns: `uri, split_part(uri, '/', 3), node, cid, '3l3qo2vutsw2b'`,
    types: 'uri text, node text, cid text',
  });
}

interface Rows {
  rows: readonly object[];
  columns: string;
  types: string;
}

export async function insert(
  client: Client,
  into: string,
  { rows, columns, types }: Rows,
): Promise<void> {
  const text = `insert into ${into} select ${columns} from jsonb_to_recordset($1) as given(${types})`;
  await client.query(text, [JSON.stringify(rows)]);
}

async function rowOf(post: Post, signer: Signer) {
  const { uri, node, author, text, boundaries, readers, at, parent, quote } = post;
  const { cid, record, proof } = await signer.post(post);
  return {
    ...{ uri, node, author, text, boundaries, readers, at, parent, quote, cid },
    record: record.toString('base64'),
    ...(proof && { ...proof, car: proof.car.toString('base64') }),
  };
}
