import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Did, mintServiceAuth, SigningKey, toDid } from '@stratos/protocol';

/** Lifetime of the tokens, which are made before the clock runs: the longest that is accepted. */
const TOKEN_SECONDS = 300;

/** Somebody whose key, of the curve that a PDS uses, is in our hands. */
export class Person {
  readonly did: Did;
  readonly key = SigningKey.generate('secp256k1');

  constructor(index: number) {
    const letters = String(index).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');
    this.did = toDid(`did:plc:${letters.padStart(24, 'a')}`);
  }

  /** The header by which a PDS would vouch for this person, for one call. */
  async authorization(audience: Did, lxm: string): Promise<string> {
    const options = { issuer: this.did, key: this.key, lifetimeSeconds: TOKEN_SECONDS };
    return `Bearer ${await mintServiceAuth({ ...options, audience, lxm })}`;
  }

  get document() {
    const publicKeyMultibase = this.key.did().slice('did:key:'.length);
    const id = `${this.did}#atproto`;
    return {
      id: this.did,
      verificationMethod: [{ id, type: 'Multikey', controller: this.did, publicKeyMultibase }],
    };
  }
}

/** People, and a directory over HTTP that knows their DID documents as a PLC directory does. */
export class People implements AsyncDisposable {
  readonly list: readonly Person[];
  readonly directory: URL;
  readonly #server;

  private constructor(list: readonly Person[], directory: URL, server: AsyncDisposable) {
    this.list = list;
    this.directory = directory;
    this.#server = server;
  }

  static async start(count: number): Promise<People> {
    const list = Array.from({ length: count }, (_, index) => new Person(index));
    const documents = new Map(list.map(({ did, document }) => [`/${did}`, document]));
    const server = createServer((req, res) => {
      const document = documents.get(decodeURIComponent(req.url ?? ''));
      res.writeHead(document ? 200 : 404, { 'content-type': 'application/json' });
      res.end(JSON.stringify(document ?? {}));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    return new People(list, new URL(`http://127.0.0.1:${port}`), server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
