import { InvalidInputError, RefusedError, UnreachableError } from '../errors.ts';
import { fieldOf, listOf, textOf } from '../http/fields.ts';
import { type Asking, askJson } from '../http/request.ts';
import type { Did } from '../identifiers.ts';
import type { DidDocument } from './did-document.ts';

export interface DidResolver {
  /**
   * The DID document, or undefined where there is none. With `refresh` it is asked for anew.
   *
   * @throws `StratosError` when it could not be asked for
   */
  resolve(did: Did, options?: { refresh?: boolean }): Promise<DidDocument | undefined>;
}

export interface DidResolverOptions extends Pick<Asking, 'fetch' | 'timeoutMs'> {
  /** The directory of `did:plc`; `https://plc.directory` unless told. */
  plcUrl?: string;
  /** Milliseconds for which a document is taken as it is; ten minutes unless told. */
  cachedMs?: number;
  /** Documents that are kept, the newest of them; 500 unless told. */
  maxCached?: number;
}

const PLC = /^did:plc:[a-z2-7]{24}$/;
/** A domain, or for development a port of this machine. */
const WEB =
  /^did:web:((?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*|(?:localhost|127\.0\.0\.1)(?:%3A\d{1,5})?)$/i;

/**
 * Resolves `did:plc` by a directory and `did:web` by its domain (https://atproto.com/specs/did), those of
 * localhost over http. Whoever asks for the same document at the same time waits for the same answer.
 *
 * @example
 * const dids = createDidResolver({ plcUrl });
 * const document = await dids.resolve(did);
 * console.log(document && pdsEndpoint(document));
 */
export function createDidResolver(options: DidResolverOptions = {}): DidResolver {
  const { plcUrl = 'https://plc.directory', cachedMs = 600_000, maxCached = 500 } = options;
  const kept = new Map<Did, { until: number; document: Promise<DidDocument | undefined> }>();
  return {
    resolve(did, { refresh = false } = {}) {
      const known = kept.get(did);
      if (known && !refresh && Date.now() < known.until) return known.document;
      const entry = { until: Date.now() + cachedMs, document: fetchDocument(did, plcUrl, options) };
      kept.delete(did);
      kept.set(did, entry);
      for (const oldest of kept.keys()) {
        if (kept.size <= maxCached) break;
        kept.delete(oldest);
      }
      entry.document.catch(() => {
        if (kept.get(did) === entry) kept.delete(did);
      });
      return entry.document;
    },
  };
}

async function fetchDocument(
  did: Did,
  plcUrl: string,
  asking: Asking,
): Promise<DidDocument | undefined> {
  const url = documentUrl(did, plcUrl);
  const headers = { accept: 'application/did+ld+json, application/json' };
  const { status, body } = await askJson(url, { headers, redirect: 'error' }, asking);
  if (status === 404 || status === 410) return undefined;
  if (status >= 500) throw new UnreachableError('Unreachable', `${url} answered ${status}`);
  if (status !== 200) {
    throw new RefusedError({ status, code: 'Unknown', message: `${url} answered ${status}` });
  }
  if (fieldOf(body, 'id') === did) return readDocument(did, body);
  throw new UnreachableError('BadAnswer', `${url} did not answer with the document of ${did}`);
}

function documentUrl(did: Did, plcUrl: string): string {
  if (PLC.test(did)) return new URL(`/${did}`, plcUrl).href;
  const host = WEB.exec(did)?.[1]?.replace(/%3A/i, ':').toLowerCase();
  if (!host) throw new InvalidInputError('InvalidDid', `${did} is of no kind that can be resolved`);
  const isHere = /^(localhost|127\.0\.0\.1)(:|$)/.test(host);
  return `${isHere ? 'http' : 'https'}://${host}/.well-known/did.json`;
}

/** Leaves out what is not as it should be. */
function readDocument(id: Did, body: unknown): DidDocument {
  return {
    id,
    alsoKnownAs: listOf(body, 'alsoKnownAs').filter((name) => typeof name === 'string'),
    verificationMethod: listOf(body, 'verificationMethod').map((method) => ({
      type: textOf(method, 'type') ?? '',
      publicKeyMultibase: textOf(method, 'publicKeyMultibase') ?? '',
    })),
    service: listOf(body, 'service').map((service) => ({
      id: textOf(service, 'id') ?? '',
      serviceEndpoint: fieldOf(service, 'serviceEndpoint'),
    })),
  };
}
