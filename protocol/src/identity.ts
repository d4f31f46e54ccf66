import { DidResolver, HandleResolver, MemoryCache } from '@atproto/identity';
import { type DidDocument, handleOf } from './did-document.ts';
import { createGuardedFetch } from './guarded-fetch.ts';
import type { Did } from './identifiers.ts';

/** Milliseconds for which a DID document is taken as it is, and after which it must be asked anew. */
const STALE_AFTER_MS = 60_000;
const EXPIRES_AFTER_MS = 10 * 60_000;

export interface IdentityResolver {
  /** The DID document, or undefined when there is none. Rejects when it could not be asked for. */
  didDocument(did: Did, options?: { refresh?: boolean }): Promise<DidDocument | undefined>;
  /** The handle of a DID if the handle's domain names that DID, else undefined. */
  verifiedHandle(did: Did): Promise<string | undefined>;
  /** The guarded client by which the resolver itself asks. */
  readonly fetch: typeof globalThis.fetch;
}

export interface IdentityResolverOptions {
  plcUrl: string;
  devMode: boolean;
  /** XRPC base URL to ask `com.atproto.identity.resolveHandle`, instead of DNS and well-known. */
  handleResolverUrl?: string | undefined;
}

/** Resolves `did:plc` and `did:web`, with a cache of at most ten minutes. */
export function createIdentityResolver(options: IdentityResolverOptions): IdentityResolver {
  const fetch = createGuardedFetch({ devMode: options.devMode });
  const dids = new DidResolver({
    plcUrl: options.plcUrl,
    didCache: new MemoryCache(STALE_AFTER_MS, EXPIRES_AFTER_MS),
    fetch,
  });
  const resolveHandle = options.handleResolverUrl
    ? handlesByXrpc(options.handleResolverUrl, fetch)
    : handlesByDomain(new HandleResolver({ fetch }));
  return {
    fetch,
    async didDocument(did, { refresh = false } = {}) {
      return (await dids.resolve(did, refresh)) ?? undefined;
    },
    async verifiedHandle(did) {
      const document = await dids.resolve(did);
      const handle = document ? handleOf(document)?.toLowerCase() : undefined;
      if (!handle) return undefined;
      return (await resolveHandle(handle)) === did ? handle : undefined;
    },
  };
}

type ResolveHandle = (handle: string) => Promise<string | undefined>;

function handlesByDomain(resolver: HandleResolver): ResolveHandle {
  return (handle) => resolver.resolve(handle);
}

function handlesByXrpc(base: string, fetch: typeof globalThis.fetch): ResolveHandle {
  return async (handle) => {
    const url = new URL('/xrpc/com.atproto.identity.resolveHandle', base);
    url.searchParams.set('handle', handle);
    const response = await fetch(url);
    if (!response.ok) return undefined;
    const body: unknown = await response.json();
    const did = typeof body === 'object' && body !== null && 'did' in body ? body.did : undefined;
    return typeof did === 'string' ? did : undefined;
  };
}
