export { type Config, readConfig } from './config.ts';
export { createLogger } from './logger.ts';
export { type Indexer, startIndexer } from './service.ts';
