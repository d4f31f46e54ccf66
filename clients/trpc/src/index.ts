export { createStratosClient, type StratosClient, type StratosClientOptions } from './client.ts';
export { isStratosError, type StratosError } from './errors.ts';
export type { Session } from './session.ts';
