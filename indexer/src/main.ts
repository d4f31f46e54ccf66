import { runService } from '@stratos/protocol/run-service';
import { openTracing } from '@stratos/protocol/telemetry';
import { readConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { startIndexer } from './service.ts';

await runService('the indexer', async () => {
  const config = readConfig(process.env);
  const tracing = await openTracing(process.env, 'stratos-indexer');
  return startIndexer(config, createLogger(config.logLevel), tracing);
});
