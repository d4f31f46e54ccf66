/** How big a generated database is, and which of all of that size. */
export interface DatabaseSize {
  posts: number;
  boundaries: number;
  /** People in boundaries: one for each person and boundary. */
  memberships: number;
  /** The same seed makes the same rows, except for leases. */
  seed: number;
}

/** What the issue of scale is measured on. */
export const MILLION: DatabaseSize = {
  posts: 1_000_000,
  boundaries: 2_000,
  memberships: 100_000,
  seed: 1,
};

/** Boundaries of each node in turn; the last node is not heard. */
export const NODES = 8;

/** A tenth of the memberships: each person is in ten boundaries or so. */
export function peopleOf({ memberships }: DatabaseSize): number {
  return Math.ceil(memberships / 10);
}
