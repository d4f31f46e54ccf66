import type { Edit } from '../private-copy.ts';

/** A rule, how it is taken out, and the tests that are about it. */
export interface Mutant {
  rule: string;
  edits: readonly Edit[];
  tests: readonly string[];
}

/** Makes mutants that the same tests are to catch. */
export function inTests(...tests: string[]) {
  return (rule: string, ...edits: Edit[]): Mutant => ({ rule, edits, tests });
}
