import { safeFetchWrap } from '@atproto-labs/fetch-node';

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
