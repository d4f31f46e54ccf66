import { type Config, ConfigError, readConfig } from './config.ts';
import { createLogger } from './logger.ts';
import { startIndexer } from './service.ts';

/** Longest time in milliseconds that an orderly stop may take. */
const DRAIN_MS = 9_000;

const config = configOrExit();
const logger = createLogger(config.logLevel);
const stopped = Promise.withResolvers<string>();
process.on('SIGTERM', stopped.resolve);
process.on('SIGINT', stopped.resolve);
void stopped.promise.then(() => setTimeout(() => process.exit(0), DRAIN_MS).unref());

try {
  const indexer = await startIndexer(config, logger);
  const signal = await stopped.promise;
  logger.info({ signal }, 'stopping');
  await indexer[Symbol.asyncDispose]();
} catch (error) {
  logger.fatal({ err: error }, 'the indexer cannot run');
  process.exit(1);
}
process.exit(0);

function configOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`indexer: ${error.message}`);
    process.exit(1);
  }
}
