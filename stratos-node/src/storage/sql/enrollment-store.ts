import { type Boundary, type Did, sortedBoundaries } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { Enrollment, EnrollmentStore } from '../service-storage.ts';
import type { ServiceTables } from './service-tables.ts';

export class SqlEnrollmentStore implements EnrollmentStore {
  readonly #db: Kysely<ServiceTables>;

  constructor(db: Kysely<ServiceTables>) {
    this.#db = db;
  }

  async get(did: Did): Promise<Enrollment | undefined> {
    const rows = await this.#db
      .selectFrom('enrollment as person')
      .leftJoin('enrollment_boundary as member', 'member.did', 'person.did')
      .select(['person.enrolledAt', 'person.pdsEndpoint', 'person.signingKeyDid', 'person.active'])
      .select('member.boundary')
      .where('person.did', '=', did)
      .execute();
    const [first] = rows;
    const boundaries = rows.flatMap(({ boundary }) => boundary ?? []);
    return first && toEnrollment({ ...first, did }, boundaries);
  }

  async after(did: string, limit: number): Promise<Enrollment[]> {
    const people = await this.#db
      .selectFrom('enrollment')
      .select(['did', 'enrolledAt', 'pdsEndpoint', 'signingKeyDid', 'active'])
      .where('did', '>', did as Did)
      .orderBy('did')
      .limit(limit)
      .execute();
    const dids = people.map((person) => person.did);
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
      enrollmentRkey,
    };
    await this.#db
      .insertInto('enrollment')
      .values({ did, ...values })
      .onConflict((conflict) => conflict.column('did').doUpdateSet(values))
      .execute();
    await this.setBoundaries(did, boundaries);
  }

  async deactivate(did: Did): Promise<void> {
    await this.#db
      .updateTable('enrollment')
      .set({ active: 'false' })
      .where('did', '=', did)
      .execute();
    await this.setBoundaries(did, []);
  }

  async setBoundaries(did: Did, boundaries: readonly Boundary[]): Promise<void> {
    await this.#db.deleteFrom('enrollment_boundary').where('did', '=', did).execute();
    if (boundaries.length === 0) return;
    await this.#db
      .insertInto('enrollment_boundary')
      .values(boundaries.map((boundary) => ({ did, boundary })))
      .execute();
  }
}

type EnrollmentRow = Omit<
  ServiceTables['enrollment'],
  'enrollmentRkey' | 'takedownRef' | 'leftAt'
>;

function toEnrollment(
  { did, enrolledAt, pdsEndpoint, signingKeyDid, active }: EnrollmentRow,
  boundaries: readonly Boundary[],
): Enrollment {
  return {
    did,
    enrolledAt,
    pdsEndpoint: pdsEndpoint ?? undefined,
    signingKey: signingKeyDid,
    active: active === 'true',
    boundaries: sortedBoundaries(boundaries),
  };
}
