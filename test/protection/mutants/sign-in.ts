import { inTests, type Mutant } from '../mutant.ts';

const OWN_PAGE = 'gateway/src/sign-in/own-page.ts';
const FLOW = 'gateway/src/sign-in/flow.ts';
const ROUTES = 'gateway/src/sign-in/routes.ts';
const RETURN_TO = 'gateway/src/sign-in/return-to.ts';
const COOKIES = 'gateway/src/sign-in/cookies.ts';
const PAGE_SESSIONS = 'gateway/src/sign-in/page-sessions.ts';
const KEPT = 'gateway/src/sign-in/kept-values.ts';
const OAUTH = 'gateway/src/sign-in/oauth-client.ts';

const ofSignIn = inTests('gateway/src/sign-in', 'test/clients/sign-in.test.ts');

/** Of cookies, sessions of pages, and signing in. */
export const SIGN_IN: readonly Mutant[] = [
  // What a cookie is good for
  ofSignIn('a cookie is not for pages of other origins', [
    OWN_PAGE,
    'if (origin !== undefined && !origins.includes(origin)) return false;',
    '',
  ]),
  ofSignIn('a cookie is not for pages of other sites', [
    OWN_PAGE,
    "if (site !== undefined && site !== 'same-origin') return false;",
    '',
  ]),
  ofSignIn('a cookie is not for links', [OWN_PAGE, " && mode !== 'navigate'", '']),
  ofSignIn('a cookie is good for a GET where a browser names the page', [
    OWN_PAGE,
    "return site === 'same-origin' && mode",
    'return mode',
  ]),
  ofSignIn('a cookie is not good where no browser names a page', [
    OWN_PAGE,
    '(site ?? origin) !== undefined && ',
    '',
  ]),
  ofSignIn('a cookie is not for forms', [
    OWN_PAGE,
    " && JSON_TYPE.test(headers['content-type'] ?? '')",
    '',
  ]),
  ofSignIn('a session is asked for by its own pages', [
    PAGE_SESSIONS,
    ' || !isFromOwnPage(req, this.#options.origins)',
    '',
  ]),
  ofSignIn('nobody is signed out by another page', [
    PAGE_SESSIONS,
    'if (!isFromOwnPage(req, this.#options.origins)) return false;',
    '',
  ]),
  ofSignIn('scripts do not read the cookie', [COOKIES, 'httpOnly: true', 'httpOnly: false']),
  ofSignIn('other sites do not send the cookie', [
    COOKIES,
    "sameSite: 'lax'",
    "sameSite: 'none' as const",
  ]),
  ofSignIn('the cookie goes over https', [COOKIES, 'secure, path', 'secure: false, path']),
  ofSignIn('the cookie is bound to its host', [COOKIES, 'name: secure ?', 'name: !secure ?']),
  // Sessions of pages
  ofSignIn('signing out ends the session', [
    PAGE_SESSIONS,
    'return false;\n    await this.#forget(req);',
    'return false;',
  ]),
  ofSignIn('signing in ends the session before', [
    PAGE_SESSIONS,
    'did: Did): Promise<void> {\n    await this.#forget(req);',
    'did: Did): Promise<void> {',
  ]),
  ofSignIn('a session that is not used ends', [
    PAGE_SESSIONS,
    'Math.min(endsAt, renewedAt + IDLE_LIFETIME)',
    'endsAt',
  ]),
  ofSignIn('a session that is used ends, too', [
    PAGE_SESSIONS,
    'Math.min(endsAt, renewedAt + IDLE_LIFETIME)',
    'renewedAt + IDLE_LIFETIME',
  ]),
  ofSignIn('a session that has ended is not renewed', [
    KEPT,
    'if (this.#values.has(key)) await',
    'await',
  ]),
  ofSignIn('what is kept is no cookie', [
    PAGE_SESSIONS,
    "return createHash('sha256').update(secret).digest('base64url');",
    'return secret;',
  ]),
  ofSignIn('a stream does not outlive what it was opened with', [
    PAGE_SESSIONS,
    'Math.min(endsAt, now + SESSION_LIFETIME)',
    'endsAt',
  ]),
  ofSignIn('flows do not push sessions out', [
    KEPT,
    "return { flows: named('flow'), sessions: named('session') };",
    "const both = named('session');\n  return { flows: both, sessions: both };",
  ]),
  ofSignIn('what is kept is bounded', [
    KEPT,
    'new LRUCache({ max, ttl: 1 })',
    'new LRUCache({ max: 1_000_000, ttl: 1 })',
  ]),
  // Signing in
  ofSignIn('a flow is of the browser that began it', [
    FLOW,
    'return isSame ? returnPath(parsed.data.returnTo) : undefined;',
    'return returnPath(parsed.data.returnTo);',
  ]),
  ofSignIn('a flow is good once', [
    OAUTH,
    'del: (key) => flows.delete(key)',
    'del: async () => {}',
  ]),
  ofSignIn(
    'a flow leads to a path here',
    [
      FLOW,
      'isSame ? returnPath(parsed.data.returnTo) : undefined',
      'isSame ? parsed.data.returnTo : undefined',
    ],
    [ROUTES, 'beginFlow(returnPath(returnTo))', 'beginFlow(String(returnTo))'],
  ),
  ofSignIn(
    'a path is of this origin',
    [RETURN_TO, '(?![/\\\\])', ''],
    [RETURN_TO, 'origin === here && ', ''],
  ),
  ofSignIn('a path stays one', [RETURN_TO, "&& !path.startsWith('//') ", '']),
  ofSignIn('the cookie of a flow ends with it', [
    ROUTES,
    'res.clearCookie(flowCookie.name, flowCookie.options);',
    '',
  ]),
  ofSignIn('tokens of a PDS are given back', [
    ROUTES,
    'await session.signOut()',
    'await Promise.resolve()',
  ]),
  ofSignIn('those who begin to sign in are counted', [
    ROUTES,
    'await limits.countStranger(req, res);\n    const callbackUrl',
    'const callbackUrl',
  ]),
  ofSignIn('those who come back from signing in are counted', [
    ROUTES,
    'await limits.countStranger(req, res);\n    const params',
    'const params',
  ]),
  ofSignIn('why nobody signed in is not said', [
    ROUTES,
    "isOurs ? error.message : 'That did not work. Begin again'",
    'String(error)',
  ]),
];
