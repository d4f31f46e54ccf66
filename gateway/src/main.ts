import { runService } from '@stratos/protocol/run-service';
import { openTracing } from '@stratos/protocol/telemetry';
import { readConfig } from './config.ts';
import { startGateway } from './service.ts';

await runService('the gateway', async () =>
  startGateway(readConfig(process.env), await openTracing(process.env, 'stratos-gateway')),
);
