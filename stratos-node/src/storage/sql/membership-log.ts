import type { Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { LogPosition, MembershipChange, MembershipLog } from '../service-storage.ts';
import type { ServiceTables } from './service-tables.ts';

export class SqlMembershipLog implements MembershipLog {
  readonly #db: Kysely<ServiceTables>;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  async head(): Promise<LogPosition | undefined> {
    return this.#db
      .selectFrom('membership_log')
      .select(['seq', 'cid'])
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  async append(
    row: LogPosition & { did: Did; entry: Uint8Array; issuedAt: string },
  ): Promise<void> {
    await this.#db.insertInto('membership_log').values(row).execute();
  }

  async after(seq: number, limit: number): Promise<(LogPosition & { entry: Uint8Array })[]> {
    return this.#db
      .selectFrom('membership_log')
      .select(['seq', 'cid', 'entry'])
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(limit)
      .execute();
  }

  async changesAfter(seq: number, limit: number): Promise<MembershipChange[]> {
    const rows = await this.#db
      .selectFrom('membership_log as log')
      .select(['log.seq', 'log.entry'])
      .select(({ selectFrom }) =>
        selectFrom('membership_log as earlier')
          .select('earlier.entry')
          .whereRef('earlier.did', '=', 'log.did')
          .whereRef('earlier.seq', '<', 'log.seq')
          .orderBy('earlier.seq', 'desc')
          .limit(1)
          .as('before'),
      )
      .where('log.seq', '>', seq)
      .orderBy('log.seq')
      .limit(limit)
      .execute();
    return rows.map((row) => ({ ...row, before: row.before ?? undefined }));
  }

  async entriesOf(did: Did): Promise<Uint8Array[]> {
    const rows = await this.#db
      .selectFrom('membership_log')
      .select('entry')
      .where('did', '=', did)
      .orderBy('seq')
      .execute();
    return rows.map(({ entry }) => entry);
  }

  async entries(seqs: readonly number[]): Promise<Map<number, Uint8Array>> {
    if (seqs.length === 0) return new Map();
    const rows = await this.#db
      .selectFrom('membership_log')
      .select(['seq', 'entry'])
      .where('seq', 'in', seqs)
      .execute();
    return new Map(rows.map((row) => [row.seq, row.entry]));
  }
}
