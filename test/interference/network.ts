import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { com } from '@stratos/protocol/lexicons';
import { fileOf } from './files.ts';
import type { World } from './world.ts';

const { $nsid } = com.atproto.sync.getBlob;

/** The world outside of gateways: a directory of nodes, and all of these, which give any file that there is. */
export interface Network extends AsyncDisposable {
  readonly url: string;
  /** Has nodes hold the files of these worlds, and no others. */
  hold(...worlds: World[]): void;
}

export async function startNetwork(): Promise<Network> {
  const files = new Map<string, Buffer>();
  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', url);
    if (pathname === `/xrpc/${$nsid}`) {
      const bytes = files.get(searchParams.get('cid') ?? '');
      res.writeHead(bytes ? 200 : 404).end(bytes);
      return;
    }
    if (pathname.startsWith('/xrpc/')) {
      res.writeHead(404).end();
      return;
    }
    const id = decodeURIComponent(pathname.slice(1));
    const service = [{ id: '#stratos', type: 'StratosService', serviceEndpoint: url }];
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ id, service }));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    url,
    hold(...worlds) {
      files.clear();
      for (const post of worlds.flatMap(({ posts }) => posts)) {
        const file = fileOf(post);
        if (file) files.set(file.cid, file.bytes);
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
