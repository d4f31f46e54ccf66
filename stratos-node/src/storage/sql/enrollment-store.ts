import { type Boundary, type Did, sortedBoundaries } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type {
  AccountStanding,
  Enrollment,
  EnrollmentCount,
  EnrollmentStore,
} from '../service-storage.ts';
import type { ServiceTables } from './service-tables.ts';

export class SqlEnrollmentStore implements EnrollmentStore {
  readonly #db: Kysely<ServiceTables>;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  async count(): Promise<EnrollmentCount> {
    const rows = await this.#db
      .selectFrom('enrollment')
      .select(({ fn }) => ['active', fn.countAll<number>().as('people')])
      .groupBy('active')
      .execute();
    const people = (standing: 'true' | 'false') =>
      Number(rows.find(({ active }) => active === standing)?.people ?? 0);
    return { enrolled: people('true'), left: people('false') };
  }

  async get(did: Did): Promise<Enrollment | undefined> {
    const rows = await this.#db
      .selectFrom('enrollment as person')
      .leftJoin('enrollment_boundary as member', 'member.did', 'person.did')
      .select(['person.enrolledAt', 'person.pdsEndpoint', 'person.signingKeyDid', 'person.active'])
      .select(['person.takedownRef', 'member.boundary'])
      .where('person.did', '=', did)
      .execute();
    const [first] = rows;
    const boundaries = rows.flatMap(({ boundary }) => boundary ?? []);
    return first && toEnrollment({ ...first, did }, boundaries);
  }

  async after(did: string, limit: number): Promise<Enrollment[]> {
    const people = await this.#db
      .selectFrom('enrollment')
      .select(['did', 'enrolledAt', 'pdsEndpoint', 'signingKeyDid', 'active', 'takedownRef'])
      .where('did', '>', did as Did)
      .orderBy('did')
      .limit(limit)
      .execute();
    const dids = people.map((person) => person.did);
    if (dids.length === 0) return [];
    const members = await this.#db
      .selectFrom('enrollment_boundary')
      .selectAll()
      .where('did', 'in', dids)
      .execute();
    const boundaries = Map.groupBy(members, (member) => member.did);
    return people.map((person) =>
      toEnrollment(person, boundaries.get(person.did)?.map(({ boundary }) => boundary) ?? []),
    );
  }

  async put(enrollment: Enrollment & { enrollmentRkey: string }): Promise<void> {
    const { did, boundaries, signingKey, pdsEndpoint, active, enrolledAt, enrollmentRkey } =
      enrollment;
    const values = {
      enrolledAt,
      pdsEndpoint: pdsEndpoint ?? null,
      signingKeyDid: signingKey,
      active: active ? ('true' as const) : ('false' as const),
      leftAt: null,
      enrollmentRkey,
    };
    await this.#db
      .insertInto('enrollment')
      .values({ did, takedownRef: null, ...values })
      .onConflict((conflict) => conflict.column('did').doUpdateSet(values))
      .execute();
    await this.setBoundaries(did, boundaries);
  }

  async deactivate(did: Did): Promise<void> {
    await this.#db
      .updateTable('enrollment')
      .set({ active: 'false', leftAt: new Date().toISOString() })
      .where('did', '=', did)
      .execute();
    await this.setBoundaries(did, []);
  }

  async setTakedown(did: Did, takedownRef: string | null): Promise<void> {
    await this.#db.updateTable('enrollment').set({ takedownRef }).where('did', '=', did).execute();
  }

  async leftBefore(before: string, limit: number): Promise<Did[]> {
    const rows = await this.#db
      .selectFrom('enrollment')
      .select('did')
      .where('active', '=', 'false')
      .where('leftAt', '<=', before)
      .orderBy('leftAt')
      .limit(limit)
      .execute();
    return rows.map(({ did }) => did);
  }

  async hasLeftBefore(did: Did, before: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('enrollment')
      .select('did')
      .where('did', '=', did)
      .where('active', '=', 'false')
      .where('leftAt', '<=', before)
      .executeTakeFirst();
    return row !== undefined;
  }

  async noteDepartures(leftAt: string): Promise<void> {
    await this.#db
      .updateTable('enrollment')
      .set({ leftAt })
      .where('active', '=', 'false')
      .where('leftAt', 'is', null)
      .where('takedownRef', 'is', null)
      .execute();
  }

  async forget(did: Did): Promise<void> {
    await this.#db.deleteFrom('enrollment_boundary').where('did', '=', did).execute();
    await this.#db
      .deleteFrom('enrollment')
      .where('did', '=', did)
      .where('takedownRef', 'is', null)
      .execute();
    await this.#db
      .updateTable('enrollment')
      .set({ pdsEndpoint: null, leftAt: null })
      .where('did', '=', did)
      .execute();
  }

  async countActive(): Promise<number> {
    const { people } = await this.#db
      .selectFrom('enrollment')
      .select(({ fn }) => fn.countAll().as('people'))
      .where('active', '=', 'true')
      .executeTakeFirstOrThrow();
    return Number(people);
  }

  async setBoundaries(did: Did, boundaries: readonly Boundary[]): Promise<void> {
    await this.#db.deleteFrom('enrollment_boundary').where('did', '=', did).execute();
    if (boundaries.length === 0) return;
    await this.#db
      .insertInto('enrollment_boundary')
      .values(boundaries.map((boundary) => ({ did, boundary })))
      .execute();
  }

  async standings(dids: readonly Did[]): Promise<Map<Did, AccountStanding>> {
    if (dids.length === 0) return new Map();
    const rows = await this.#db
      .selectFrom('enrollment')
      .select(['did', 'active', 'takedownRef'])
      .where('did', 'in', dids)
      .execute();
    return new Map(rows.map((row) => [row.did, toStanding(row)]));
  }
}

export function toStanding({
  active,
  takedownRef,
}: Pick<ServiceTables['enrollment'], 'active' | 'takedownRef'>): AccountStanding {
  return { active: active === 'true', isTakenDown: takedownRef !== null };
}

type EnrollmentRow = Omit<ServiceTables['enrollment'], 'enrollmentRkey' | 'leftAt'>;

export function toEnrollment(
  { did, enrolledAt, pdsEndpoint, signingKeyDid, active, takedownRef }: EnrollmentRow,
  boundaries: readonly Boundary[],
): Enrollment {
  return {
    did,
    enrolledAt,
    pdsEndpoint: pdsEndpoint ?? undefined,
    signingKey: signingKeyDid,
    active: active === 'true' && takedownRef === null,
    boundaries: sortedBoundaries(boundaries),
  };
}
