import type { Mutant } from './mutant.ts';
import { ANSWERS } from './mutants/answers.ts';
import { BUDGETS } from './mutants/budgets.ts';
import { SIGN_IN } from './mutants/sign-in.ts';
import { TOKENS } from './mutants/tokens.ts';
import { WHAT_IS_UNAVAILABLE } from './mutants/unavailable.ts';

export const MUTANTS: readonly Mutant[] = [
  ...SIGN_IN,
  ...TOKENS,
  ...BUDGETS,
  ...ANSWERS,
  ...WHAT_IS_UNAVAILABLE,
];
