import { createLogger, readConfig, startIndexer } from '@stratos/indexer';
import { reportToParent } from '../child.ts';

// An indexer as in production.
const config = readConfig(process.env);
const indexer = await startIndexer(config, createLogger(config.logLevel));
reportToParent(indexer.port, indexer);
