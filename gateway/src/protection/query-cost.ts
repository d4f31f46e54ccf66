import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, MAX_THREAD_DEPTH, MAX_URIS } from '@stratos/schema';
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  getVariableValues,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

export interface CostedQuery {
  schema: GraphQLSchema;
  /** Valid for the schema. */
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** As they were sent. */
  variables?: Record<string, unknown> | undefined;
}

/**
 * The cost of a query: 1 for each field, times the page sizes of all connections around it. What a
 * directive may leave out counts, and introspection costs 1. Takes time linear in the document.
 */
export function queryCost({ schema, document, operation, variables = {} }: CostedQuery): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition);
  }
  const { coerced = {} } = getVariableValues(
    schema,
    operation.variableDefinitions ?? [],
    variables,
  );
  const costs = new Map<string, number>();
  const root = schema.getRootType(operation.operation);
  return root ? costOf(operation.selectionSet, root) : 0;

  function costOf({ selections }: SelectionSetNode, type: GraphQLCompositeType): number {
    let cost = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) cost += costOfField(selection, type);
      else if (selection.kind === Kind.FRAGMENT_SPREAD)
        cost += costOfFragment(selection.name.value);
      else
        cost += costOf(
          selection.selectionSet,
          typeNamed(selection.typeCondition?.name.value) ?? type,
        );
    }
    return cost;
  }

  function costOfField(node: FieldNode, parent: GraphQLCompositeType): number {
    const hasFields = isObjectType(parent) || isInterfaceType(parent);
    const field = hasFields ? parent.getFields()[node.name.value] : undefined;
    const type = field && getNamedType(field.type);
    if (!type || !isCompositeType(type) || !node.selectionSet) return 1;
    return 1 + sizeOf(field, node) * costOf(node.selectionSet, type);
  }

  function costOfFragment(name: string): number {
    const known = costs.get(name);
    if (known !== undefined) return known;
    const fragment = fragments.get(name);
    const type = typeNamed(fragment?.typeCondition.name.value);
    const cost = fragment && type ? costOf(fragment.selectionSet, type) : 0;
    costs.set(name, cost);
    return cost;
  }

  function typeNamed(name: string | undefined): GraphQLCompositeType | undefined {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : undefined;
  }

  /** How many of a type a field gives at most, where these are posts. */
  function sizeOf(field: GraphQLField<unknown, unknown>, node: FieldNode): number {
    const args = argumentsOf(field, node);
    const names = new Set(field.args.map(({ name }) => name));
    if (names.has('first')) {
      return clamp(args['first'] ?? args['last'] ?? DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
    }
    if (names.has('uris')) {
      const { uris } = args;
      return clamp(Array.isArray(uris) ? uris.length : MAX_URIS, MAX_URIS);
    }
    const isListOfPosts =
      isListType(getNullableType(field.type)) && getNamedType(field.type).name === 'Post';
    return isListOfPosts ? MAX_THREAD_DEPTH : 1;
  }

  /** Nothing where they are wrong, which the execution finds too. */
  function argumentsOf(
    field: GraphQLField<unknown, unknown>,
    node: FieldNode,
  ): Record<string, unknown> {
    try {
      return getArgumentValues(field, node, coerced);
    } catch {
      return {};
    }
  }
}

function clamp(size: unknown, max: number): number {
  return typeof size === 'number' ? Math.min(Math.max(size, 1), max) : max;
}
