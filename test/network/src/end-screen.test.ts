import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { styleFor } from './console-style.ts';
import { endScreen } from './end-screen.ts';
import { portsFromEnvironment } from './ports.ts';
import { topologyOf } from './topology.ts';

function screenFor(env: Record<string, string>): string {
  const ports = portsFromEnvironment(env);
  const style = styleFor(new PassThrough() as unknown as NodeJS.WriteStream);
  const topology = topologyOf(ports);
  return endScreen({ ports, topology, dataDir: '/data', ephemeral: false }, style);
}

it('shows commands that can be copied as they are', () => {
  const screen = screenFor({});
  expect(screen).toContain('curl -s http://localhost:4000/graphql');
  expect(screen).toContain('Bearer $(npm run --silent token -- rei.test)"');
});

it('names the ports in commands that would not find them otherwise', () => {
  const screen = screenFor({ GATEWAY_PORT: '14000', NODE_A_PORT: '13100' });
  expect(screen).toContain('Open      http://localhost:14000/');
  expect(screen).toContain('$(GATEWAY_PORT=14000 npm run --silent token -- rei.test)');
});
