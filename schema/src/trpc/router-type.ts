export type { StratosRouter } from './router.ts';
