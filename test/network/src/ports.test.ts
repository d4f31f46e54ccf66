import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePorts, PORTS, PortError, portsFromEnvironment, requireFreePorts } from './ports.ts';

describe('portsFromEnvironment', () => {
  it('knows the usual ports', () => {
    expect(portsFromEnvironment({})).toEqual({
      plc: 2582,
      pds: 2583,
      postgres: 5433,
      indexer: 3002,
      nodeA: 3100,
      nodeB: 3200,
      gateway: 4000,
    });
  });

  it('takes every port from its variable', () => {
    for (const [name, { variable }] of Object.entries(PORTS)) {
      expect(portsFromEnvironment({ [variable]: '12345' })).toMatchObject({ [name]: 12345 });
    }
  });

  it.each(['0', '65536', '4000a', '-1', '4e3', ' '])('refuses %j', (value) => {
    expect(() => portsFromEnvironment({ GATEWAY_PORT: value })).toThrow(/GATEWAY_PORT/);
  });

  it('refuses one port for two', () => {
    expect(() => portsFromEnvironment({ GATEWAY_PORT: '3100' })).toThrow(
      /3100.*(NODE_A_PORT.*GATEWAY_PORT|GATEWAY_PORT.*NODE_A_PORT)/,
    );
  });
});

describe('requireFreePorts', () => {
  it('is content with free ports', async () => {
    await requireFreePorts(await freePorts());
  });

  it.each(['127.0.0.1', '::1', '0.0.0.0'])('names a port taken on %s', async (host) => {
    const ports = await freePorts();
    await using server = createServer();
    server.listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const check = requireFreePorts({ ...ports, nodeB: port });
    await expect(check).rejects.toThrow(PortError);
    await expect(check).rejects.toThrow(new RegExp(`${port}.*second Stratos node.*NODE_B_PORT=`));
  });
});
