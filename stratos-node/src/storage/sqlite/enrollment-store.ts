import type { Boundary, Did } from '@stratos/protocol';
import type { Kysely } from 'kysely';
import type { AccountStanding, Enrollment } from '../service-storage.ts';
import { SqlEnrollmentStore, toEnrollment, toStanding } from '../sql/enrollment-store.ts';
import type { ServiceTables } from '../sql/service-tables.ts';
import type { Turns } from './turns.ts';

type Row = ServiceTables['enrollment'] & { boundary: Boundary | null };

type StandingRow = Pick<ServiceTables['enrollment'], 'did' | 'active' | 'takedownRef'>;

const GET = `
  SELECT person.*, member.boundary FROM enrollment AS person
  LEFT JOIN enrollment_boundary AS member ON member.did = person.did WHERE person.did = ?`;

const STANDING = 'SELECT did, active, takedownRef FROM enrollment WHERE did = ?';

/** Enrollments, with the questions that every request asks as statements of their own. */
export class SqliteEnrollmentStore extends SqlEnrollmentStore {
  readonly #turns: Turns;

  constructor(db: Kysely<ServiceTables>, turns: Turns) {
    super(db);
    this.#turns = turns;
  }

  override async get(did: Did): Promise<Enrollment | undefined> {
    const rows = await this.#turns.read(() => this.#turns.prepare<Row>(GET).all(did));
    const [first] = rows;
    return (
      first &&
      toEnrollment(
        first,
        rows.flatMap(({ boundary }) => boundary ?? []),
      )
    );
  }

  override async standings(dids: readonly Did[]): Promise<Map<Did, AccountStanding>> {
    const { read, prepare } = this.#turns;
    const rows = await read(() => {
      const statement = prepare<StandingRow>(STANDING);
      return dids.flatMap((did) => statement.get(did) ?? []);
    });
    return new Map(rows.map((row) => [row.did, toStanding(row)]));
  }
}
