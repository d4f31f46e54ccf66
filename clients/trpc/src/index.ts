export {
  createStratosClient,
  type Session,
  type StratosClient,
  type StratosClientOptions,
} from './client.ts';
