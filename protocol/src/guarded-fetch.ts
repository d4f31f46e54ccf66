import type { LookupAddress } from 'node:dns';
import { safeDispatchFetchWrap, safeFetchWrap, unicastLookup } from '@atproto-labs/fetch-node';
import { isSpecialAddress } from './public-address.ts';

export interface GuardedFetchOptions {
  /** Allows http, ports and private addresses. Never on a public service. */
  devMode: boolean;
  /** Largest body in bytes, after decompression; 512 kB unless told. */
  maxBytes?: number;
  /** Milliseconds until the request is given up; 10 s unless told. */
  timeoutMs?: number;
}

/**
 * The one way in which anything of ours fetches what somebody else named: https only, each resolved
 * address public and pinned, no redirects, bounded in size and time. It rejects otherwise.
 */
export function createGuardedFetch(options: GuardedFetchOptions): typeof globalThis.fetch {
  const { devMode, maxBytes = 512 * 1024, timeoutMs = 10_000 } = options;
  const fetch = safeFetchWrap({
    ...(!devMode && { fetch: publicFetch() }),
    responseMaxSize: maxBytes,
    timeout: timeoutMs,
    ssrfProtection: !devMode,
    allowHttp: devMode,
    allowPrivateIps: devMode,
    allowIpHost: devMode,
    allowCustomPort: devMode,
    allowData: false,
    forbiddenDomainNames: devMode ? [] : ['localhost', '*.local', '*.internal', '*.localhost'],
    allowImplicitRedirect: true,
  });
  return (input, init) => fetch(input as string | URL | Request, { ...init, redirect: 'error' });
}

/** Reaches nothing but names of the public internet that resolve to addresses of it alone. */
function publicFetch(): typeof globalThis.fetch {
  const fetch = safeDispatchFetchWrap({ checkUrl: checkName, lookup: publicLookup });
  return (input, init) => {
    // @NOTE in place of the dispatcher of fetch-node, whose lookup takes some special addresses for public
    const { dispatcher: _, ...rest } = { dispatcher: undefined, ...init };
    return fetch(input, rest);
  };
}

function checkName({ hostname }: URL): string | undefined {
  // @NOTE `localhost.` is `localhost`, but no list of names has it
  return hostname.endsWith('.') ? 'Hostname ends with a dot' : undefined;
}

const publicLookup: typeof unicastLookup = (hostname, options, callback) => {
  unicastLookup(hostname, options, (error, address, family) => {
    if (!error && addressesOf(address).some(isSpecialAddress)) {
      callback(new Error('Hostname resolved to a special address'), address, family);
    } else {
      callback(error, address, family);
    }
  });
};

function addressesOf(address: string | LookupAddress[]): string[] {
  return typeof address === 'string' ? [address] : address.map((each) => each.address);
}
