import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Did, mintServiceAuth, SigningKey, toDid } from '@stratos/protocol';

export interface Person {
  did: Did;
  key: SigningKey;
}

/** People with keys, and a directory over HTTP that answers with their DID documents. */
export class People implements AsyncDisposable {
  readonly directoryUrl: string;
  readonly #keys: Map<string, SigningKey>;
  readonly #close: () => Promise<void>;

  private constructor(
    directoryUrl: string,
    keys: Map<string, SigningKey>,
    close: () => Promise<void>,
  ) {
    this.directoryUrl = directoryUrl;
    this.#keys = keys;
    this.#close = close;
  }

  static async start(): Promise<People> {
    const keys = new Map<string, SigningKey>();
    const server = createServer((req, res) => {
      const did = decodeURIComponent(req.url?.slice(1) ?? '');
      const key = keys.get(did);
      res.statusCode = key ? 200 : 404;
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify(key ? didDocument(did, key) : {}));
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const { port } = server.address() as AddressInfo;
    return new People(`http://localhost:${port}`, keys, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
  }

  /** A person whose key the directory knows. The same name is the same person. */
  add(name: string): Person {
    const did = toDid(`did:plc:${name.padEnd(24, '2')}`);
    const key = this.#keys.get(did) ?? SigningKey.generate('secp256k1');
    this.#keys.set(did, key);
    return { did, key };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

/** A service-auth token as the PDS of a person makes it. */
export function serviceAuth(
  person: Person,
  audience: Did,
  lxm: string,
  lifetimeSeconds = 60,
): Promise<string> {
  return mintServiceAuth({ issuer: person.did, audience, lxm, key: person.key, lifetimeSeconds });
}

function didDocument(did: string, key: SigningKey) {
  return {
    '@context': ['https://www.w3.org/ns/did/v1'],
    id: did,
    alsoKnownAs: [],
    verificationMethod: [
      {
        id: `${did}#atproto`,
        type: 'Multikey',
        controller: did,
        publicKeyMultibase: key.did().slice('did:key:'.length),
      },
    ],
    service: [],
  };
}
