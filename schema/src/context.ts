import { unauthenticated } from './errors.ts';
import type { Live } from './live.ts';
import type { Operations } from './operations.ts';

/** What a request brings to the resolvers: its operations, or nothing when nobody is signed in. */
export interface ApiContext {
  operations?: Operations | undefined;
  /** What can be followed, by the same viewer. */
  live?: Live | undefined;
}

/** Throws `UNAUTHENTICATED` when nobody is signed in. */
export function operationsOf(context: ApiContext): Operations {
  if (!context.operations) throw unauthenticated();
  return context.operations;
}
