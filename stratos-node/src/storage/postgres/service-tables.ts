import type { Did } from '@stratos/protocol';
import type { ServiceTables } from '../sql/service-tables.ts';

/** Tables of the service database that several processes share. */
export type PostgresServiceTables = Omit<ServiceTables, 'actor_publication'> & {
  actor_publication: Omit<ServiceTables['actor_publication'], 'dirty'>;
  /** What each process said before its first write to an actor's store. */
  actor_mark: { process: string; did: Did };
};
