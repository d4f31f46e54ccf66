import { ApiError } from '@stratos/schema';
import { type ExecutionArgs, getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Logger } from '../logger.ts';
import { queryCost } from '../protection/query-cost.ts';
import type { RequestContext } from '../request-context.ts';
import { toRequestError } from './errors.ts';

export interface CostLimitOptions {
  /** Cost of one query at most. */
  maxCost: number;
  logger: Logger;
}

/** Counts what a query costs, and lets none be run that costs more than it may or the viewer has left. */
export function costLimit(options: CostLimitOptions): Plugin<RequestContext> {
  return {
    async onExecute({ args, setResultAndStopExecution }) {
      const error = await refusal(args, options);
      if (error) setResultAndStopExecution({ errors: [error] });
    },
    async onSubscribe({ args, setResultAndStopExecution }) {
      const error = await refusal(args, options);
      if (error) setResultAndStopExecution({ errors: [error] });
    },
  };
}

async function refusal(
  args: ExecutionArgs & { contextValue: RequestContext },
  { maxCost, logger }: CostLimitOptions,
) {
  const { schema, document, variableValues: variables, contextValue } = args;
  const operation = getOperationAST(document, args.operationName);
  if (!operation) return undefined;
  const cost = queryCost({ schema, document, operation, variables: variables ?? {} });
  try {
    if (cost > maxCost) {
      const message = `The query costs ${cost}, and ${maxCost} is the limit`;
      throw new ApiError('QUERY_TOO_COMPLEX', message);
    }
    await contextValue.spend(cost);
    return undefined;
  } catch (error) {
    return toRequestError(error, logger);
  }
}
