import type { NodeSavedSession, NodeSavedState } from '@atproto/oauth-client-node';
import type { Kysely } from 'kysely';
import type { OAuthSessionRow, OAuthStore } from '../service-storage.ts';
import type { ServiceTables } from './service-tables.ts';

/** Milliseconds after which an OAuth flow that nobody finished is forgotten. */
const STATE_LIFETIME_MS = 60 * 60_000;

export class SqlOAuthStore implements OAuthStore {
  readonly #db: Kysely<ServiceTables>;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  async state(key: string): Promise<NodeSavedState | undefined> {
    const row = await this.#db
      .selectFrom('oauth_state')
      .select('state')
      .where('key', '=', key)
      .where('createdAt', '>', oldestState())
      .executeTakeFirst();
    return row && JSON.parse(row.state);
  }

  async putState(key: string, state: NodeSavedState): Promise<void> {
    await this.#db.deleteFrom('oauth_state').where('createdAt', '<=', oldestState()).execute();
    const values = { state: JSON.stringify(state), createdAt: new Date().toISOString() };
    await this.#db
      .insertInto('oauth_state')
      .values({ key, ...values })
      .onConflict((conflict) => conflict.column('key').doUpdateSet(values))
      .execute();
  }

  async deleteState(key: string): Promise<void> {
    await this.#db.deleteFrom('oauth_state').where('key', '=', key).execute();
  }

  async session(key: string): Promise<NodeSavedSession | undefined> {
    return (await this.sessionOf(key))?.session;
  }

  async sessionOf(key: string): Promise<OAuthSessionRow | undefined> {
    const row = await this.#db
      .selectFrom('oauth_session')
      .select(['session', 'createdAt'])
      .where('key', '=', key)
      .executeTakeFirst();
    return row && { session: JSON.parse(row.session), createdAt: row.createdAt };
  }

  async putSession(key: string, session: NodeSavedSession): Promise<void> {
    const now = new Date().toISOString();
    const values = { session: JSON.stringify(session), updatedAt: now };
    await this.#db
      .insertInto('oauth_session')
      .values({ key, createdAt: now, ...values })
      .onConflict((conflict) => conflict.column('key').doUpdateSet(values))
      .execute();
  }

  async replaceSession(
    key: string,
    read: NodeSavedSession,
    next: NodeSavedSession,
  ): Promise<boolean> {
    const replaced = await this.#db
      .updateTable('oauth_session')
      .set({ session: JSON.stringify(next) })
      .where('key', '=', key)
      .where('session', '=', JSON.stringify(read))
      .executeTakeFirst();
    return replaced.numUpdatedRows === 1n;
  }

  async deleteSession(key: string, createdAt?: string): Promise<void> {
    await this.#db
      .deleteFrom('oauth_session')
      .where('key', '=', key)
      .$if(createdAt !== undefined, (query) => query.where('createdAt', '=', createdAt ?? ''))
      .execute();
  }
}

function oldestState(): string {
  return new Date(Date.now() - STATE_LIFETIME_MS).toISOString();
}
