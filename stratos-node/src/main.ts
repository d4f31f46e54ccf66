import { runService } from '@stratos/protocol/run-service';
import { openTracing } from '@stratos/protocol/telemetry';
import { readConfig } from './config.ts';
import { startNode } from './service.ts';

process.umask(0o077);
await runService('the node', async () =>
  startNode(readConfig(process.env), { tracing: await openTracing(process.env, 'stratos-node') }),
);
