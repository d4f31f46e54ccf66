import type { Client } from 'pg';
import type { DatabaseSize } from './options.ts';

const POSTS_PER_BATCH = 10_000;
/** Unix time. The posts are spread over the two years before. */
const NEWEST = Date.UTC(2026, 5, 1) / 1_000;
const TWO_YEARS = 2 * 365 * 86_400;
/** Keys that are as long as those of TIDs, and in their order. */
const RKEY = "translate(lpad(i::text, 13, '0'), '0123456789', 'abcdefghij')";

/**
 * Posts in the order of time, each by a member of its boundary: four in ten threads of eight, some replies
 * to the first post of all, some quotes, a tenth in two boundaries. Nobody may read those of people who
 * have left or whose account is gone. Content and CID are made up.
 *
 * Each connection writes a batch at a time.
 */
export async function writePosts(
  connections: readonly [Client, ...Client[]],
  { posts }: DatabaseSize,
  onPosts: (count: number) => void,
): Promise<void> {
  const [client] = connections;
  await draftPosts(client, posts);
  await numberBoundaries(client);
  const batches = batchesOf(posts);
  await Promise.all(
    connections.map(async (connection) => {
      for (const { first, last } of batches) {
        await writeBatch(connection, first, last);
        onPosts(last - first + 1);
      }
    }),
  );
}

function* batchesOf(posts: number): Generator<{ first: number; last: number }> {
  for (let first = 1; first <= posts; first += POSTS_PER_BATCH) {
    yield { first, last: Math.min(posts, first + POSTS_PER_BATCH - 1) };
  }
}

async function draftPosts(client: Client, posts: number): Promise<void> {
  await client.query(`
    create unlogged table draft.written as
    with writers as (
      select count(*) filter (where not late) as early, count(*) filter (where late) as late from draft.writer
    ), drawn as (
      select i, i > ${posts} / 2 as is_late,
        floor(draft.draw(i, 'writer') * case when i > ${posts} / 2 then late else early end)::bigint as number
      from generate_series(1, ${posts}) as i, writers
    )
    select i, w.did, w.node, w.boundary, w.gone,
      case when draft.draw(i, 'two') < 0.1 then w.other end as other,
      ${RKEY} as rkey, 'at://' || w.did || '/zone.stratos.feed.post/' || ${RKEY} as uri,
      to_timestamp(${NEWEST} - (${posts} - i) * ${TWO_YEARS / posts}::float8)::timestamptz(3) as at
    from drawn join draft.writer w on w.late = drawn.is_late and w.number = drawn.number`);
  await client.query(`
    create unlogged table draft.post as
    with placed as (
      select *, (row_number() over (partition by boundary order by i) - 1) / 8 as thread from draft.written
    ), related as (
      select *,
        first_value(uri) over (partition by boundary order by i) as beginning,
        first_value(uri) over (partition by boundary, thread order by i) as root,
        lag(uri) over (partition by boundary, thread order by i) as previous,
        lag(uri, 3) over (partition by boundary order by i) as earlier,
        lag(uri, 5) over (order by i) as elsewhere
      from placed
    )
    select i, did, node, gone, uri, rkey, at, array_remove(array[boundary, other], null) as boundaries,
      case when is_hot then beginning when is_reply then root end as reply_root,
      case when is_hot then beginning
        when is_reply then case when draft.draw(i, 'deeper') < 0.6 then previous else root end
      end as reply_parent,
      case when draft.draw(i, 'quote') < 0.03 then earlier
        when draft.draw(i, 'quote') < 0.05 then elsewhere end as quote
    from related, lateral (select
      beginning <> uri and draft.draw(i, 'hot') < 0.02 as is_hot,
      previous is not null and draft.draw(hashtext(boundary || thread), 'thread') < 0.4 as is_reply
    ) as kind`);
  await client.query(
    'create index on draft.post (i); analyze draft.post; drop table draft.written',
  );
}

/** Before several connections do as they come to it, which would be in another order each time. */
async function numberBoundaries(client: Client): Promise<void> {
  await client.query(`
    insert into stratos_boundary (boundary, node_did)
    select distinct boundary, p.node
    from draft.post p
    join stratos_actor a on a.did = p.did and a.active
    cross join lateral unnest(p.boundaries) as boundary
    where not p.gone
    order by boundary`);
}

async function writeBatch(client: Client, first: number, last: number): Promise<void> {
  await client.query(
    `insert into stratos_post (uri, node_did, cid, did, rkey, rev, record, text, reply_root, reply_parent,
      quote, created_at, indexed_at, sort_at, boundaries)
    select uri, node, 'bafyrei' || md5(i::text), did, rkey, '3kabcdefghij2',
      decode(repeat(md5(i::text), 10), 'hex'), draft.some_text(i), reply_root, reply_parent,
      quote, at, at, at, boundaries
    from draft.post
    where i between $1 and $2
    order by i`,
    [first, last],
  );
  await client.query(
    `insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
    select boundary, d.at, d.uri, d.node, d.did, 'bafyrei' || md5(d.i::text), d.at
    from draft.post d
    join stratos_actor a on a.did = d.did and a.active
    cross join lateral unnest(d.boundaries) as boundary
    where d.i between $1 and $2 and not d.gone
    order by d.i`,
    [first, last],
  );
  await client.query(
    `insert into stratos_stub (uri, did, node_did, subject_cid, rev)
    select uri, did, node, 'bafyrei' || md5(i::text), '3kabcdefghij2'
    from draft.post where i between $1 and $2 and draft.draw(i, 'stub') < 0.7`,
    [first, last],
  );
}
