import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LexMap } from '@atproto/lex-data';
import { lexToJson } from '@atproto/lex-json';
import { type Did, mintServiceAuth, SigningKey, toDid } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';

const LIST_RECORDS = `/xrpc/${com.atproto.repo.listRecords.$nsid}`;
/** Lifetime of the tokens, which are made before the clock runs: the longest that is accepted. */
const TOKEN_SECONDS = 300;

/** Somebody whose key, of the curve that a PDS uses, is in our hands. */
export class Person {
  readonly did: Did;
  readonly key = SigningKey.generate('secp256k1');
  /** What their PDS has of them. */
  readonly records: LexMap[] = [];

  constructor(index: number) {
    const letters = String(index).replaceAll(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');
    this.did = toDid(`did:plc:${letters.padStart(24, 'a')}`);
  }

  /** The header by which a PDS would vouch for this person, for one call. */
  async authorization(audience: Did, lxm: string): Promise<string> {
    const options = { issuer: this.did, key: this.key, lifetimeSeconds: TOKEN_SECONDS };
    return `Bearer ${await mintServiceAuth({ ...options, audience, lxm })}`;
  }

  /** What their PDS answers who lists records. */
  get listed() {
    return { records: this.records.map((value) => ({ value: lexToJson(value) })) };
  }

  document(pds: URL) {
    const publicKeyMultibase = this.key.did().slice('did:key:'.length);
    const id = `${this.did}#atproto`;
    return {
      id: this.did,
      verificationMethod: [{ id, type: 'Multikey', controller: this.did, publicKeyMultibase }],
      service: [
        { id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: pds.origin },
      ],
    };
  }
}

/** People, with a server that is their PDS, and knows their DID documents as a PLC directory does. */
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
    const byDid = new Map<string, Person>(list.map((person) => [person.did, person]));
    const server = createServer((req, res) => {
      const { pathname, searchParams } = new URL(req.url ?? '', directory);
      const isOfPds = pathname === LIST_RECORDS;
      const did = isOfPds ? searchParams.get('repo') : decodeURIComponent(pathname.slice(1));
      const person = byDid.get(did ?? '');
      const answer = isOfPds ? person?.listed : person?.document(directory);
      res.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
      res.end(JSON.stringify(answer ?? {}));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const directory = new URL(`http://127.0.0.1:${port}`);
    return new People(list, directory, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
