import { type ApiContext, unauthenticated } from '@stratos/schema';
import { type DocumentNode, getOperationAST, Kind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Logger } from '../logger.ts';
import { toRequestError } from './errors.ts';

/** Lets nobody query without signing in, except for the schema itself, which is public. */
export function signInRequired(logger: Logger): Plugin<ApiContext> {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      if (args.contextValue.operations) return;
      if (asksForSchemaOnly(args.document, args.operationName)) return;
      setResultAndStopExecution({ errors: [toRequestError(unauthenticated(), logger)] });
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      if (args.contextValue.live) return;
      setResultAndStopExecution({ errors: [toRequestError(unauthenticated(), logger)] });
    },
  };
}

function asksForSchemaOnly(document: DocumentNode, operationName?: string | null): boolean {
  const operation = getOperationAST(document, operationName);
  const selections = operation?.selectionSet.selections ?? [];
  return (
    selections.length > 0 &&
    selections.every(
      (selection) => selection.kind === Kind.FIELD && selection.name.value.startsWith('__'),
    )
  );
}
