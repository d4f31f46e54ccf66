import type { Client } from 'pg';
import { type DatabaseSize, NODES, peopleOf } from './options.ts';

/**
 * Nodes, boundaries of very different size, and who is in them.
 *
 * Leaves two drafts for what comes after: `member`, one row for each person and boundary, and `writer`,
 * those by whom a post may be, before and after the dormant boundaries fell silent.
 */
export async function writeCommunities(client: Client, size: DatabaseSize): Promise<void> {
  await writeNodes(client);
  await draftMembers(client, size);
  await writePeople(client);
}

async function writeNodes(client: Client): Promise<void> {
  await client.query(`
    insert into stratos_node (did, endpoint, lease_until)
    select 'did:web:node' || n || '.example', 'https://node' || n || '.example',
      now() + case when n = ${NODES - 1} then interval '-1 day' else interval '10 years' end
    from generate_series(0, ${NODES - 1}) as n`);
}

/**
 * The first boundaries have most of the people, and some people are nearly everywhere. Every seventh
 * boundary, the biggest among them, is dormant: nobody writes there any more. A few have left their node.
 */
async function draftMembers(client: Client, size: DatabaseSize): Promise<void> {
  const { boundaries, memberships } = size;
  await client.query(`
    create unlogged table draft.member as
    with drawn as (
      select distinct
        floor(${peopleOf(size)} * power(draft.draw(i, 'person'), 1.5))::int as person,
        floor(${boundaries} * power(draft.draw(i, 'boundary'), 2.5))::int as place
      from generate_series(1, ${2 * memberships}) as i
    ), chosen as (
      select * from drawn order by draft.draw(person * 100000 + place, 'chosen') limit ${memberships}
    ), named as (
      select 'did:plc:person' || person as did, place, 'did:web:node' || place % ${NODES} || '.example' as node
      from chosen
    )
    select did, node, node || '/b' || place as boundary, place % 7 = 0 as dormant,
      draft.draw(hashtext(did || node), 'left') < 0.03 as gone,
      lead(node || '/b' || place) over (partition by did, node order by place) as other
    from named`);
  await client.query(`
    create unlogged table draft.writer as
    select late, row_number() over (partition by late order by boundary, did) - 1 as number, member.*
    from draft.member, (values (false), (true)) as half(late)
    where not (late and dormant)`);
  await client.query(
    'create index on draft.writer (late, number); analyze draft.member; analyze draft.writer',
  );
}

async function writePeople(client: Client): Promise<void> {
  await client.query(`
    insert into stratos_actor (did, handle, active, updated_at)
    select did, substring(did from 9) || '.example', draft.draw(hashtext(did), 'active') > 0.02, now()
    from (select distinct did from draft.member) as person`);
  await client.query(`
    insert into stratos_membership (did, node_did, active, seq, signing_key, issued_at)
    select did, node, not gone, row_number() over (order by did, node), 'did:key:zDn' || md5(did), '2024-01-01'
    from (select distinct did, node, gone from draft.member) as m`);
  await client.query(`
    insert into stratos_membership_boundary (did, node_did, boundary)
    select did, node, boundary from draft.member where not gone`);
  await client.query(`
    insert into stratos_enrollment (did, rkey, service_url, node_did, signing_key, boundaries, enrolled_at, rev)
    select did, md5(node), 'https://' || substring(node from 9), node, 'did:key:zDn' || md5(did),
      array_agg(boundary), '2024-01-01', '3kabcdefghij2'
    from draft.member group by did, node`);
  await client.query(`
    insert into stratos_repo (did, node_did, rev, commit, data, updated_at)
    select distinct did, node, '3kabcdefghij2', 'bafyrei' || md5(did), 'bafyrei' || md5(did || node), now()
    from draft.member`);
}
