export { type Config, ConfigError, readConfig } from './config.ts';
export { createLogger } from './logger.ts';
export { type Indexer, startIndexer } from './service.ts';
