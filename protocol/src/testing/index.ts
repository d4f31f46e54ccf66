export { SignedRepo } from './signed-repo.ts';
