import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { lexToJson } from '@atproto/lex-json';
import { type AtUri, type Did, decodeRecord, toCid, toDid } from '@stratos/protocol';
import { com, zone } from '@stratos/protocol/lexicons';
import type { ShownRecord } from '../hydration/nodes/node-client.ts';
import type { StubWorld } from './stub-world.ts';
import type { World } from './world.ts';

/** What a node was asked. */
export interface Asked {
  path: string;
  authorization: string | undefined;
  /** How many records. */
  uris: number;
}

/** What a node answers about a file. */
export interface BlobAnswer {
  status: number;
  body: Buffer;
}

/** A node on this machine that gives whoever asks the records of a world, and one file. */
export class AnsweringNode implements AsyncDisposable {
  readonly did: Did;
  readonly asked: Asked[] = [];
  /** Where the records are. */
  world: World | undefined;
  /** Where the records of stubs are. */
  stubs: StubWorld | undefined;
  /** Whether it shows that records are in a repo, and how far its log of members is. */
  gives = { proofs: true, members: true };
  /** What it does when it is asked for records. */
  behaves: 'honest' | 'lies' | 'forgets' | 'stalls' | 'dies' = 'honest';
  blob: BlobAnswer = { status: 404, body: Buffer.from('{}') };
  readonly #close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.did = toDid(`did:web:localhost%3A${port}`);
    this.#close = close;
  }

  static async start(): Promise<AnsweringNode> {
    const server = createServer(async (req, res) => {
      const path = req.url ?? '';
      if (path === '/.well-known/did.json') {
        const serviceEndpoint = `http://localhost:${(server.address() as AddressInfo).port}`;
        const service = [{ id: '#stratos', type: 'StratosService', serviceEndpoint }];
        res.end(JSON.stringify({ id: node.did, service }));
        return;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk);
      const asked: { uris: AtUri[]; proof?: boolean } =
        req.method === 'POST' ? JSON.parse(Buffer.concat(chunks).toString()) : { uris: [] };
      const { uris, proof } = asked;
      const { authorization } = req.headers;
      node.asked.push({ path, authorization, uris: uris.length });
      if (path === `/xrpc/${zone.stratos.repo.hydrateRecords.$nsid}`) {
        if (node.behaves === 'stalls') return;
        if (node.behaves === 'dies') {
          req.socket.destroy();
          return;
        }
        res.setHeader('content-type', 'application/json');
        res.end(JSON.stringify(await (proof ? node.#shown(uris) : node.#records(uris))));
      } else if (path.startsWith(`/xrpc/${com.atproto.sync.getBlob.$nsid}?`)) {
        res.writeHead(node.blob.status, { 'content-type': 'text/html' }).end(node.blob.body);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const { port } = server.address() as AddressInfo;
    const node = new AnsweringNode(port, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return node;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }

  async #shown(uris: AtUri[]) {
    const shown = (await this.stubs?.shownRecords(this.did, uris)) ?? new Map<AtUri, ShownRecord>();
    const [first] = shown.values();
    const { proofs, members } = this.gives;
    const records = Array.from(shown, ([uri, { value, proof }]) => ({
      ...{ uri, cid: '', value: lexToJson(value) },
      ...(proofs && { proof: lexToJson(proof) }),
    }));
    return { records, notFound: [], ...(members && { membershipSeq: first?.membershipSeq ?? 0 }) };
  }

  async #records(uris: AtUri[]) {
    const where = { uri: { in: uris }, nodeDid: this.did };
    const rows = (await this.world?.prisma.post.findMany({ where })) ?? [];
    const given = this.behaves === 'forgets' ? [] : rows;
    const lie = this.behaves === 'lies' ? { text: 'a lie' } : {};
    const records = given.map(async ({ uri, cid, record }) => {
      const value = lexToJson({ ...(await decodeRecord(record, toCid(cid))), ...lie });
      return { uri, cid, value };
    });
    return { records: await Promise.all(records), notFound: [], blocked: [] };
  }
}
