import type { Prepared } from '../load.ts';
import type { Needs } from '../machine/limits.ts';
import { HYDRATED_AT_ONCE, LISTED_AT_ONCE, type Requests } from './requests.ts';

/** A kind of request that is measured. */
export interface Scenario {
  name: string;
  /** What is asked for, in items a second. */
  bar: number;
  /** What an answer brings: one unless told. */
  items?: (answerBytes: number) => number;
  /** Requests by which it is warmed up, and its rate is guessed. */
  warmUp?: number;
  /** Connections at most. */
  connections?: number;
  /** What an answer cannot be given without. */
  needs: Needs;
  prepare(): Promise<Prepared>;
}

/**
 * What is measured, the writing first.
 *
 * @param check - what it takes to check the credentials of a request
 */
export function scenarios(requests: Requests, check: Needs): [Scenario, ...Scenario[]] {
  const read: Needs = { requests: 1, ...check };
  return [
    {
      name: 'createRecord',
      bar: 1_000,
      needs: { ...read, signatures: 1, transactions: 1 },
      prepare: () => requests.createRecord(),
    },
    { name: 'getRecord', bar: 2_500, needs: read, prepare: () => requests.getRecord() },
    {
      name: `listRecords(${LISTED_AT_ONCE})`,
      bar: 1_000,
      needs: read,
      prepare: () => requests.listRecords(),
    },
    {
      name: 'hydrateRecords, records',
      bar: 30_000,
      items: () => HYDRATED_AT_ONCE,
      needs: read,
      prepare: () => requests.hydrateRecords(),
    },
    { name: 'sync.getRecord, proofs', bar: 1_500, needs: read, prepare: () => requests.proof() },
    {
      name: 'getRepo, MB',
      bar: 100,
      items: (answerBytes) => answerBytes / 1e6,
      warmUp: 20,
      connections: 1,
      needs: {},
      prepare: () => requests.getRepo(),
    },
  ];
}
