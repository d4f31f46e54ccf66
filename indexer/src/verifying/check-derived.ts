import type { Transaction } from '../database.ts';
import type { FlawKind } from './flaw.ts';
import type { PersonAtNode } from './stored-person.ts';

interface DerivedFlaw {
  kind: FlawKind;
  uri: string;
}

/** Whether the rows for searches and answers are what their posts say. */
export async function checkDerived(
  tx: Transaction,
  { did, nodeDid }: PersonAtNode,
): Promise<DerivedFlaw[]> {
  return tx.$queryRaw<DerivedFlaw[]>`
    with reader as materialized (
      select r.uri, r.boundary, r.sort_at, coalesce(b.id, 0) as id, p.text, p.reply_parent, p.quote
      from stratos_post_boundary r
      join stratos_post p on p.uri = r.uri and p.node_did = r.node_did
      left join stratos_boundary b on b.boundary = r.boundary
      where r.did = ${did} and r.node_did = ${nodeDid}
    ), wanted as (
      select uri, boundary, 'reply' as kind, reply_parent as subject, sort_at from reader
      where starts_with(reply_parent, 'at://')
      union all
      select uri, boundary, 'quote', quote, sort_at from reader where starts_with(quote, 'at://')
    ), stored as (
      select f.uri, f.boundary, f.kind, f.subject, f.sort_at
      from reader join stratos_post_reference f using (uri, boundary)
    )
    select distinct 'wrong-search' as kind, reader.uri
    from reader left join stratos_post_search s using (uri, boundary)
    where s.words is distinct from
        case when reader.text <> '' then stratos_scoped_words(reader.id, reader.text) end
      or s.sort_at is distinct from case when reader.text <> '' then reader.sort_at end
    union
    select 'wrong-references', uri from ((table wanted except table stored)
      union all (table stored except table wanted)) as different`;
}
