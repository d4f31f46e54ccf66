import { ConfigError } from '@stratos/protocol/environment';
import { readConfig } from './config.ts';
import { startGateway } from './service.ts';

try {
  const starting = startGateway(readConfig(process.env));
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    const gateway = await starting;
    await gateway[Symbol.asyncDispose]();
    process.exit(0);
  };
  // @NOTE before it has started, so that no signal finds nobody listening
  process.on('SIGTERM', stop).on('SIGINT', stop);
  await starting;
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
}
