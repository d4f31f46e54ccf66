import {
  type Boundary,
  type Did,
  encodeRecord,
  recordUri,
  toBoundary,
  toDid,
} from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import { Client } from 'pg';

const NODE = toDid('did:web:live.invalid');
const AUTHOR = toDid('did:plc:livelivelivelivelivelive');
const collection = zone.stratos.feed.post.$nsid;
/** As the indexer has it. */
const TURN = 0x6368616e676573n;

/** A boundary with many members, to which somebody posts as the indexer writes it. */
export class LiveWorld implements AsyncDisposable {
  readonly members: readonly Did[];
  readonly #client: Client;
  readonly #boundary: Boundary = toBoundary(`${NODE}/live`);
  readonly #run = Date.now();
  #posts = 0;

  private constructor(client: Client, members: readonly Did[]) {
    this.#client = client;
    this.members = members;
  }

  static async create(databaseUrl: string, count: number): Promise<LiveWorld> {
    const client = new Client(databaseUrl);
    await client.connect();
    const members = Array.from({ length: count }, (_, index) => {
      const letters = String(index).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');
      return toDid(`did:plc:${letters.padStart(24, 'l')}`);
    });
    const world = new LiveWorld(client, members);
    await client.query(
      `insert into stratos_node (did, endpoint, lease_until)
       values ($1, 'http://live.invalid', now() + interval '1 day') on conflict do nothing`,
      [NODE],
    );
    await client.query(
      `insert into stratos_membership (did, node_did, active, seq, signing_key, issued_at)
       select did, $1, true, 1, 'did:key:bench', now() from unnest($2::text[]) as did
       on conflict do nothing`,
      [NODE, members],
    );
    await client.query(
      `insert into stratos_membership_boundary (did, node_did, boundary)
       select did, $1, $2 from unnest($3::text[]) as did on conflict do nothing`,
      [NODE, world.#boundary, members],
    );
    return world;
  }

  /** Writes posts in one transaction; the text of each begins with the time of that. */
  async post(count: number): Promise<void> {
    const rows = await Promise.all(Array.from({ length: count }, () => this.#record()));
    await this.#client.query(
      `with p as (
         insert into stratos_post (uri, node_did, cid, did, rkey, rev, record, text, created_at,
           indexed_at, sort_at, boundaries)
         select uri, $1, cid, $2, rkey, '3l3qo2vutsw2b', record, 'live', now(), now(), now(), array[$3]
         from unnest($4::text[], $5::text[], $6::text[], $7::bytea[]) as x(uri, cid, rkey, record)
         returning uri, cid, indexed_at
       ), pb as (
         insert into stratos_post_boundary (boundary, sort_at, uri, node_did, did, cid, indexed_at)
         select $3, now(), uri, $1, $2, cid, indexed_at from p returning uri
       ), turn as materialized (select pg_advisory_xact_lock(${TURN})),
       told as (
         insert into stratos_change (at, kind, node_did, did, uri, boundaries)
         select clock_timestamp(), 'post', $1, $2, uri, array[$3] from pb cross join turn
         returning seq
       )
       select pg_notify('stratos_change', max(seq)::text) from told`,
      [
        ...[NODE, AUTHOR, this.#boundary],
        rows.map(({ uri }) => uri),
        rows.map(({ cid }) => cid),
        rows.map(({ rkey }) => rkey),
        rows.map(({ bytes }) => Buffer.from(bytes)),
      ],
    );
  }

  /** Takes the boundary from a member. @returns when that was committed, by `Date.now()` */
  async remove(did: Did): Promise<number> {
    await this.#client.query(
      `with gone as (
         delete from stratos_membership_boundary where did = $1 returning boundary
       ), turn as materialized (select pg_advisory_xact_lock(${TURN})),
       told as (
         insert into stratos_change (at, kind, node_did, did, boundaries)
         select clock_timestamp(), 'membership', $2, $1, array[boundary] from gone cross join turn
         returning seq
       )
       select pg_notify('stratos_change', max(seq)::text) from told`,
      [did, NODE],
    );
    return Date.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }

  async #record() {
    const rkey = `live${this.#run}x${this.#posts++}`;
    const { bytes, cid } = await encodeRecord({
      $type: collection,
      text: `at=${Date.now()} ${'lorem ipsum dolor sit amet '.repeat(8)}`,
      boundary: {
        $type: 'zone.stratos.boundary.defs#Domains',
        values: [{ value: this.#boundary }],
      },
      createdAt: new Date().toISOString(),
    });
    return { rkey, bytes, cid, uri: recordUri(AUTHOR, collection, rkey) };
  }
}
