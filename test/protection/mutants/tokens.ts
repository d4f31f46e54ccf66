import { inTests, type Mutant } from '../mutant.ts';

const VIEWERS = 'gateway/src/viewer/viewers.ts';
const REQUESTS = 'gateway/src/viewer/requests.ts';
const REDIS_REPLAY = 'gateway/src/viewer/redis-replay-store.ts';
const SERVICE_AUTH = 'protocol/src/service-auth.ts';
const DPOP = 'protocol/src/dpop.ts';
const NONCE = 'protocol/src/dpop-nonce.ts';
const SESSION = 'protocol/src/session.ts';
const REPLAY = 'protocol/src/replay-store.ts';
const IDENTITY = 'protocol/src/identity.ts';

const ofViewer = inTests('gateway/src/viewer');
const ofServiceAuth = inTests('protocol/src/service-auth.test.ts');
const ofDpop = inTests('protocol/src/dpop.test.ts');
const ofSession = inTests('protocol/src/session.test.ts');
const ofProtocol = inTests('protocol/src/identity.test.ts', 'protocol/src/replay-store.test.ts');

/** Of tokens, proofs, and what may be used once. */
export const TOKENS: readonly Mutant[] = [
  // Service-auth
  ofServiceAuth('a token is for us', [SERVICE_AUTH, "refuse('is for another audience');", '{}']),
  ofServiceAuth('an audience is ours with a fragment, and not with more', [
    SERVICE_AUTH,
    'if (claims.aud !== audience &&',
    'if (!claims.aud.startsWith(audience) &&',
  ]),
  ofServiceAuth('a token is for one method', [
    SERVICE_AUTH,
    "if (claims.lxm !== lxm) refuse('is for another method');",
    '',
  ]),
  ofServiceAuth(
    'a token names its method',
    [
      SERVICE_AUTH,
      'if (claims.lxm !== lxm)',
      'if (claims.lxm !== undefined && claims.lxm !== lxm)',
    ],
    [SERVICE_AUTH, '  lxm: z.string(),', '  lxm: z.string().optional(),'],
  ),
  ofServiceAuth('a token ends', [
    SERVICE_AUTH,
    "if (claims.exp <= now) refuse('has expired');",
    '',
  ]),
  ofServiceAuth('a token has begun', [SERVICE_AUTH, 'claims.iat > now + CLOCK_SKEW || ', '']),
  ofServiceAuth('a token is not used before it says', [
    SERVICE_AUTH,
    ' || (claims.nbf ?? 0) > now + CLOCK_SKEW',
    '',
  ]),
  ofServiceAuth('a token is short', [
    SERVICE_AUTH,
    ' || claims.exp - claims.iat > maxLifetime',
    '',
  ]),
  ofServiceAuth('a token ends after it begins', [SERVICE_AUTH, 'claims.exp < claims.iat || ', '']),
  ofServiceAuth('a token is not older than the memory of what was used', [
    SERVICE_AUTH,
    'if (remembersSince && ',
    'if (false && remembersSince && ',
  ]),
  ofServiceAuth('a token is signed', [
    SERVICE_AUTH,
    "if (!(await isSignedBy(token, identity, refreshed))) refuse('has a bad signature');",
    '',
  ]),
  ofServiceAuth('a token is signed as its key does', [
    SERVICE_AUTH,
    'jwtAlgOf(key) === token.header.alg &&',
    '',
  ]),
  ofServiceAuth('a token is of its kind', [SERVICE_AUTH, "typ: z.literal('JWT'),", '']),
  ofServiceAuth('a token is signed by the key of the account', [
    SERVICE_AUTH,
    "  kid: z.literal('#atproto').optional(),\n",
    '',
  ]),
  ofServiceAuth('a token that wants more to be understood is none', [
    SERVICE_AUTH,
    '  crit: z.undefined().optional(),\n',
    '',
  ]),
  ofServiceAuth('an issuer is an account', [SERVICE_AUTH, 'z.custom<Did>(isDid)', 'z.string()']),
  ofServiceAuth('a token is good once', [
    SERVICE_AUTH,
    "if (!first) refuse('was already used');",
    '',
  ]),
  ofServiceAuth('a token is refused where it cannot be told whether it was used', [
    SERVICE_AUTH,
    "throw new AuthRequiredError('the token cannot be checked for replay now', { cause });",
    'void cause;\n          return true;',
  ]),
  ofServiceAuth('a token is remembered until it ends', [
    SERVICE_AUTH,
    '(claims.exp + CLOCK_SKEW) * 1000',
    'claims.iat * 1000',
  ]),
  ofServiceAuth('forged tokens make nobody ask for keys again and again', [
    SERVICE_AUTH,
    'if (refreshed.has(iss)) return false;',
    '',
  ]),
  ofServiceAuth('a key that was changed is asked for', [
    SERVICE_AUTH,
    'return check(await keyOfIssuer(true));',
    'return check(await keyOfIssuer(false));',
  ]),
  ofProtocol('keys are not kept for long', [
    IDENTITY,
    'new MemoryCache(STALE_AFTER_MS, EXPIRES_AFTER_MS)',
    'new MemoryCache(1e9, 1e10)',
  ]),
  // What was used
  ofProtocol('what was used is not good again', [
    REPLAY,
    'if (known !== undefined && known >= now) return false;',
    '',
  ]),
  ofProtocol('what was used is not forgotten for want of room', [
    REPLAY,
    "throw new ReplayStoreError('there are too many claims');",
    'this.#claims.clear();',
  ]),
  ofProtocol('what can be used is not forgotten', [
    REPLAY,
    'if (expiresAt < now) this.#claims',
    'this.#claims',
  ]),
  ofViewer('what was used is known to all gateways', [
    REDIS_REPLAY,
    "milliseconds, 'NX'))",
    'milliseconds))',
  ]),
  ofViewer('without Redis nothing is taken for unused', [
    REDIS_REPLAY,
    "throw new ReplayStoreError('redis cannot be asked', { cause });",
    'return cause !== undefined;',
  ]),
  // DPoP
  ofDpop('a proof is for one method', [
    DPOP,
    "if (data.htm !== expected.method) refuse('is for another method');",
    '',
  ]),
  ofDpop('a proof is for one URL', [
    DPOP,
    "if (data.htu !== expected.url) refuse('is for another URL');",
    '',
  ]),
  ofDpop('a proof is for one token', [
    DPOP,
    'if (data.ath !== (expected.accessToken && tokenHash(expected.accessToken)))',
    'if (data.ath === null)',
  ]),
  ofDpop('a proof with a token says which', [
    DPOP,
    'if (data.ath !== (',
    'if (data.ath !== undefined && data.ath !== (',
  ]),
  ofDpop('a proof is of this minute', [
    DPOP,
    "if (Math.abs(now - data.iat) > MAX_AGE) refuse('is not of this minute');",
    '',
  ]),
  ofDpop('a proof is not of the future', [DPOP, 'Math.abs(now - data.iat)', 'now - data.iat']),
  ofDpop('a proof is not older than the memory of what was used', [
    DPOP,
    "if (data.iat < since / 1000 - 1) refuse('is older than this service remembers');",
    '',
  ]),
  ofDpop('a proof is signed', [
    DPOP,
    "if (!(await isSignedEs256Aside(jwt, key.publicKey))) refuse('has a bad signature');",
    '',
  ]),
  ofDpop('a proof has a nonce', [
    DPOP,
    'data.nonce === undefined ? !requireNonce :',
    'data.nonce === undefined ? true :',
  ]),
  ofDpop('a nonce is ours', [DPOP, ': nonces.accepts(data.nonce);', ': true;']),
  ofDpop('a nonce is fresh', [NONCE, '[window, window - 1]', '[window, window - 1, window - 2]']),
  ofDpop('a nonce is of the secret', [
    NONCE,
    'nonceOf(secret, at)',
    'nonceOf(new Uint8Array(32), at)',
  ]),
  ofDpop('a proof is good once', [DPOP, "if (!first) refuse('was already used');", '']),
  ofDpop('a proof is refused where it cannot be told whether it was used', [
    DPOP,
    ".catch((cause) => refuse('cannot be checked for replay now', cause));",
    '.catch(() => true);',
  ]),
  ofDpop('a proof is remembered for as long as it is good', [DPOP, 'iat + 2 * MAX_AGE', 'iat']),
  ofDpop('a proof is of its kind', [DPOP, "  typ: z.literal('dpop+jwt'),\n", '']),
  ofDpop('a proof that wants more to be understood is none', [
    DPOP,
    '  crit: z.undefined().optional(),\n',
    '',
  ]),
  ofDpop('a proof does not show a private key', [DPOP, '    d: z.undefined().optional(),\n', '']),
  ofViewer('a bound session is of the key of its proof', [
    VIEWERS,
    "if (boundTo !== key) throw new AuthRequiredError('the session is bound to another key');",
    '',
  ]),
  ofViewer('a bound session needs a proof', [
    VIEWERS,
    "if (boundTo) throw new AuthRequiredError('the session is bound and needs a DPoP proof');",
    '',
  ]),
  // Sessions
  ofSession(
    'a session is ours',
    [SESSION, 'iss: z.literal(issuer)', 'iss: z.string()'],
    [SESSION, 'aud: z.literal(issuer)', 'aud: z.string()'],
  ),
  ofSession('a session is signed', [SESSION, ' || !isSignedEs256(jwt, key.keyObject)', '']),
  ofSession('a session ends', [
    SESSION,
    'if (known.exp <= Date.now() / 1000 - CLOCK_SKEW) refuse();',
    '',
  ]),
  ofSession('a session is of its kind', [
    SESSION,
    'if (!jwt || !header.safeParse(jwt.header).success)',
    'if (!jwt)',
  ]),
  ofSession('a session has begun', [SESSION, 'data.iat > now + CLOCK_SKEW || ', '']),
  ofSession('a session is short', [
    SESSION,
    'if (data.exp - data.iat > SESSION_LIFETIME) refuse();',
    '',
  ]),
  ofSession('sessions end with their key', [
    SESSION,
    'if (key !== this.#key) this.#verified.clear();',
    '',
  ]),
  ofViewer('plain sessions can be refused', [
    VIEWERS,
    "if (!this.#options.bearerSessions)\n      throw new AuthRequiredError('sessions must be bound by DPoP');",
    '',
  ]),
  ofViewer('plain sessions need not be given', [
    VIEWERS,
    "if (proof === undefined && !bearerSessions)\n      throw new AuthRequiredError('a DPoP proof is needed');",
    '',
  ]),
  ofViewer('a token may live longer where it is exchanged, and no longer than that', [
    VIEWERS,
    'const EXCHANGE_MAX_LIFETIME = 3600;',
    'const EXCHANGE_MAX_LIFETIME = 36_000;',
  ]),
  ofViewer('what cannot be checked is not called wrong', [
    REQUESTS,
    'if (cause.cause instanceof ReplayStoreError) {',
    'if (false as boolean) {',
  ]),
];
