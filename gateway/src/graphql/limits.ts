import { EnvelopArmor } from '@escape.tech/graphql-armor';
import type { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

function reject(_: unknown, error: GraphQLError): void {
  Object.assign(error.extensions, { code: 'QUERY_TOO_COMPLEX' });
}

/** Limits that a query must keep before any of it is run. */
export function queryLimits(): Plugin[] {
  const onReject = [reject];
  const armor = new EnvelopArmor({
    maxDepth: { n: 10, onReject },
    maxAliases: { n: 15, onReject },
    maxDirectives: { n: 20, onReject },
    maxTokens: { n: 1000, onReject },
    costLimit: { maxCost: 1000, objectCost: 2, scalarCost: 1, depthCostFactor: 1.5, onReject },
    blockFieldSuggestion: { enabled: false },
  });
  return armor.protect().plugins as Plugin[];
}
