import { runService } from '@stratos/protocol/run-service';
import { readConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { startIndexer } from './service.ts';

await runService('the indexer', async () => {
  const config = readConfig(process.env);
  return startIndexer(config, createLogger(config.logLevel));
});
