import { EnvelopArmor } from '@escape.tech/graphql-armor';
import type { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

function reject(_: unknown, error: GraphQLError): void {
  Object.assign(error.extensions, { code: 'QUERY_TOO_COMPLEX' });
}

/** Limits of form that a query must keep before any of it is run. */
export function queryLimits(): Plugin[] {
  const onReject = [reject];
  const armor = new EnvelopArmor({
    maxDepth: { n: 12, flattenFragments: true, onReject },
    maxAliases: { n: 20, onReject },
    maxDirectives: { n: 20, onReject },
    maxTokens: { n: 2000, onReject },
    costLimit: { enabled: false },
    blockFieldSuggestion: { enabled: false },
  });
  return armor.protect().plugins as Plugin[];
}
