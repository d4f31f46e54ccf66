import { inTests, type Mutant } from '../mutant.ts';

const REQUESTS = 'gateway/src/viewer/requests.ts';
const LIMITS = 'gateway/src/protection/rate-limits.ts';
const ADDRESS = 'gateway/src/protection/address-group.ts';
const QUERY_COST = 'gateway/src/protection/query-cost.ts';
const CALL_COST = 'gateway/src/protection/call-cost.ts';
const COST_LIMIT = 'gateway/src/graphql/cost-limit.ts';
const FORM_LIMITS = 'gateway/src/graphql/limits.ts';
const GRAPHQL = 'gateway/src/graphql/server.ts';
const GRAPHQL_ROUTES = 'gateway/src/graphql/routes.ts';
const GRAPHQL_XRPC = 'gateway/src/graphql/xrpc-route.ts';
const TRPC = 'gateway/src/trpc/options.ts';
const XRPC_CONTEXT = 'gateway/src/api/context.ts';
const CONTEXTS = 'gateway/src/request-context.ts';
const SERVER = 'gateway/src/server.ts';
const BLOB_ROUTES = 'gateway/src/blobs/routes.ts';

const ofCost = inTests(
  'gateway/src/protection/query-cost.test.ts',
  'gateway/src/protection/protection.test.ts',
);
const ofProtection = inTests(
  'gateway/src/protection/protection.test.ts',
  'gateway/src/protection/doors.test.ts',
);
const ofDoors = inTests(
  'gateway/src/protection/doors.test.ts',
  'gateway/src/protection/protection.test.ts',
  'gateway/src/graphql',
);
const ofSurfaces = inTests('gateway/src/surfaces.test.ts', 'gateway/src/service.test.ts');
const ofBlobs = inTests('gateway/src/blobs');

/** Of how much may be asked, and what it costs. */
export const BUDGETS: readonly Mutant[] = [
  // How much may be asked
  ofProtection('a viewer has a budget', [
    LIMITS,
    'await this.#viewers.consume(viewer, cost).catch((reason) => refuse(reason, res));',
    '',
  ]),
  ofProtection('a budget is of one viewer', [
    LIMITS,
    'this.#viewers.consume(viewer, cost)',
    "this.#viewers.consume('all', cost)",
  ]),
  ofProtection('what is asked counts by its cost', [
    LIMITS,
    'this.#viewers.consume(viewer, cost)',
    'this.#viewers.consume(viewer, Math.min(cost, 1))',
  ]),
  ofProtection('strangers have a budget', [
    LIMITS,
    'await this.#strangers.consume(addressGroup(ip)).catch((reason) => refuse(reason, res));',
    '',
  ]),
  ofProtection('the budget of strangers is of one address', [
    LIMITS,
    'this.#strangers.consume(addressGroup(ip))',
    "this.#strangers.consume('all')",
  ]),
  ofProtection('a network of IPv6 is one stranger', [ADDRESS, '.slice(0, 8)', '']),
  ofProtection('another network of IPv6 is another stranger', [
    ADDRESS,
    '.slice(0, 8)',
    '.slice(0, 7)',
  ]),
  ofProtection('an address of a proxy is believed where it is trusted', [
    SERVER,
    "app.set('trust proxy', config.trustedProxies);",
    "app.set('trust proxy', true);",
  ]),
  ofProtection('proofs of strangers who have none left are not checked', [
    REQUESTS,
    'if (!hasSession(req)) await limits.checkStranger(req, res);',
    '',
  ]),
  ofProtection('who proves nothing is counted', [
    REQUESTS,
    'if (caller) return caller;\n    await limits.countStranger(req, res);',
    'if (caller) return caller;',
  ]),
  ofProtection('whose proof fails is counted', [
    REQUESTS,
    "'UNAUTHENTICATED') {\n        await limits.countStranger(req, res);",
    "'UNAUTHENTICATED') {",
  ]),
  ofProtection('who wants a WebSocket and proves nothing is counted', [
    REQUESTS,
    'if (caller) return caller;\n    await limits.countStranger(stranger);',
    'if (caller) return caller;',
  ]),
  ofProtection('who wants a WebSocket and whose proof fails is counted', [
    REQUESTS,
    "if (error.code === 'UNAUTHENTICATED') await limits.countStranger(stranger);",
    '',
  ]),
  ofProtection('proofs for WebSockets are not checked of who has none left', [
    REQUESTS,
    'if (!hasSession(req)) await limits.checkStranger(stranger);',
    '',
  ]),
  ofDoors('GraphQL spends the budget', [COST_LIMIT, 'await contextValue.spend(cost);', '']),
  ofDoors('subscriptions spend the budget', [
    COST_LIMIT,
    'async onSubscribe({ args, setResultAndStopExecution }) {\n      const error = await refusal(args, options);',
    'async onSubscribe({ setResultAndStopExecution }) {\n      const error = undefined;',
  ]),
  ofDoors('tRPC spends the budget', [TRPC, 'await context.spend(await costOf(info));', '']),
  ofDoors('streams of XRPC spend the budget', [
    CONTEXTS,
    'await this.#options.limits.spend(caller.did, callCost({}));',
    '',
  ]),
  ofDoors('calls of a batch add up', [TRPC, 'sum + cost, 0)', 'Math.max(sum, cost), 0)']),
  ofDoors('XRPC spends the budget', [XRPC_CONTEXT, 'await context.spend(callCost(params));', '']),
  ofBlobs('files spend the budget', [BLOB_ROUTES, 'await context.spend(1);', '']),
  // What a question costs
  ofDoors('a query has a highest cost', [COST_LIMIT, 'if (cost > maxCost)', 'if (cost < 0)']),
  ofCost('pages multiply', [
    QUERY_COST,
    'sizeOf(field, node) * costOf(node.selectionSet, type)',
    'sizeOf(field, node) + costOf(node.selectionSet, type)',
  ]),
  ofCost('pages from the end count', [QUERY_COST, " ?? args['last']", '']),
  ofCost('a page without a size counts', [QUERY_COST, '?? DEFAULT_PAGE_SIZE,', '?? 1,']),
  ofCost('posts by their addresses count', [
    QUERY_COST,
    'Array.isArray(uris) ? uris.length : MAX_URIS',
    '1',
  ]),
  ofCost('ancestors count', [QUERY_COST, 'isListOfPosts ? MAX_THREAD_DEPTH : 1', '1']),
  ofCost('no size is negative', [
    QUERY_COST,
    'Math.min(Math.max(size, 1), max)',
    'Math.min(size, max)',
  ]),
  ofCost('fragments count', [
    QUERY_COST,
    'cost += costOfFragment(selection.name.value);',
    'cost += 0;',
  ]),
  ofCost('fragments count wherever they are used', [
    QUERY_COST,
    'costs.set(name, cost);',
    'costs.set(name, 0);',
  ]),
  ofCost('inline fragments count', [
    QUERY_COST,
    `cost += costOf(
          selection.selectionSet,
          typeNamed(selection.typeCondition?.name.value) ?? type,
        );`,
    'cost += 0;',
  ]),
  ofCost('variables count', [
    QUERY_COST,
    'return getArgumentValues(field, node, coerced);',
    'return getArgumentValues(field, node, {});',
  ]),
  ofCost('a call for a page costs a page', [CALL_COST, 'isPaged ? DEFAULT_PAGE_SIZE : 1', '1']),
  ofCost('a call for a thread costs all its levels', [
    CALL_COST,
    'return clamp(levels, MAX_THREAD_DEPTH) * clamp',
    'return clamp',
  ]),
  ofCost('a call for posts costs each of them', [
    CALL_COST,
    'return Math.min(input.uris.length, MAX_URIS);',
    'return 1;',
  ]),
  inTests('gateway/src/protection/worst-query.test.ts')(
    'what is loaded for many posts is loaded at once',
    [
      'gateway/src/hydration/reference-counts.ts',
      '    }),\n  );',
      '    }),\n    { batch: false },\n  );',
    ],
  ),
  ofDoors('a query is not deep', [FORM_LIMITS, 'maxDepth: { n: 12,', 'maxDepth: { n: 1200,']),
  ofDoors('a query has few aliases', [
    FORM_LIMITS,
    'maxAliases: { n: 20,',
    'maxAliases: { n: 2000,',
  ]),
  ofDoors('a query has few directives', [
    FORM_LIMITS,
    'maxDirectives: { n: 20,',
    'maxDirectives: { n: 2000,',
  ]),
  ofDoors('a query is short', [FORM_LIMITS, 'maxTokens: { n: 2000,', 'maxTokens: { n: 200000,']),
  ofDoors('fragments do not hide depth', [
    FORM_LIMITS,
    'flattenFragments: true',
    'flattenFragments: false',
  ]),
  ofDoors('bodies of GraphQL are small', [
    GRAPHQL_ROUTES,
    "MAX_BODY = '100kb'",
    "MAX_BODY = '100mb'",
  ]),
  ofDoors('bodies of GraphQL over XRPC are small', [
    GRAPHQL_XRPC,
    "MAX_BODY = '100kb'",
    "MAX_BODY = '100mb'",
  ]),
  ofDoors('batches of tRPC are small', [TRPC, 'MAX_BATCH = 10', 'MAX_BATCH = 1000']),
  ofDoors('GraphQL takes no batches', [GRAPHQL, 'batching: false', 'batching: true']),
  ofSurfaces('GraphQL takes nothing but POST', [
    GRAPHQL_ROUTES,
    "if (req.method !== 'POST') {",
    "if (req.method === 'TRACE') {",
  ]),
  ofDoors('GraphQL takes nothing but JSON', [
    GRAPHQL_ROUTES,
    "else if (!req.is('application/json')) refuse(res, 415, 'Send application/json');",
    '',
  ]),
  ofDoors('GraphQL over XRPC takes nothing but JSON', [
    GRAPHQL_XRPC,
    "if (!req.is(JSON_TYPE)) return refuse('BAD_USER_INPUT', 'Send application/json');",
    '',
  ]),
];
