import type { IncomingMessage } from 'node:http';
import type { LexValue } from '@atproto/lex-data';
import { lexStringify } from '@atproto/lex-json';
import { l } from '@atproto/lex-schema';
import type { AuthResult, LexMethodHandler, Server } from '@atproto/xrpc-server';
import type { Did } from '@stratos/protocol';
import type { Response } from 'express';
import type { NodeContext } from '../context.ts';
import { NodeError, toAnswer } from '../node-error.ts';
import { sparseMethod } from './sparse-method.ts';

interface Exchange {
  req: IncomingMessage;
  res: Response;
}

type Authenticate<Auth extends AuthResult> = (exchange: Exchange) => Promise<Auth>;

export interface MethodOptions {
  /** Bytes of a JSON body, of which none is read before the caller is known. */
  maxBodyBytes?: number;
}

/**
 * Adds a method whose errors, of its handler or its check of credentials, are the node's own answers.
 * Nothing of a request is looked at before it is known who makes it.
 */
export function addMethod<Method extends l.Query | l.Procedure, Auth extends AuthResult>(
  server: Server,
  method: l.Main<Method>,
  authenticate: Authenticate<Auth>,
  handler: LexMethodHandler<Method, Auth>,
  { maxBodyBytes }: MethodOptions = {},
): void {
  const main: l.Query | l.Procedure = l.getMain(method);
  const callers = new WeakMap<IncomingMessage, Auth>();
  const verb = main.type === 'query' ? 'get' : 'post';
  // @NOTE not by the framework, which makes two errors for each caller to see that they are none
  server.routes[verb](`/xrpc/${main.nsid}`, (req, res, next) => {
    answering(authenticate)({ req, res }).then((caller) => {
      callers.set(req, caller);
      next();
    }, next);
  });
  const config = {
    ...(maxBodyBytes !== undefined && { opts: { jsonLimit: maxBodyBytes } }),
    handler: answering(async (context: Parameters<typeof handler>[0]) => {
      const auth = callers.get(context.req);
      if (auth === undefined) throw new NodeError('AuthRequired');
      return encoded(await handler({ ...context, auth }));
    }),
  };
  // @NOTE the overloads of `add` cannot be resolved for a type parameter
  const add = server.add as (ns: unknown, config: unknown) => void;
  add.call(server, sparseMethod(main), config);
}

/** JSON is written here, as the framework would walk through the body once more than it takes. */
function encoded<Output>(output: Output) {
  if (!isJson(output)) return output;
  const { body, ...rest } = output;
  return { ...rest, buffer: Buffer.from(lexStringify(body)) };
}

function isJson(output: unknown): output is { encoding: string; body: LexValue } {
  return (
    typeof output === 'object' &&
    output !== null &&
    'body' in output &&
    'encoding' in output &&
    output.encoding === 'application/json'
  );
}

function answering<Context extends Pick<Exchange, 'res'>, Result>(
  run: (context: Context) => Promise<Result>,
): (context: Context) => Promise<Result> {
  return async (context) => {
    try {
      return await run(context);
    } catch (error) {
      const answer = toAnswer(error);
      if (answer instanceof NodeError) context.res.set(answer.headers);
      throw answer;
    }
  };
}

/** Requires a caller who proves who they are, for the method `lxm`. */
export function callerOf(
  ctx: NodeContext,
  lxm: string,
): Authenticate<{ credentials: { did: Did } }> {
  return async ({ req }) => ({ credentials: { did: await ctx.authenticator.caller(req, lxm) } });
}

/** Accepts callers who do not say who they are, but none who claim it falsely. */
export function anyCallerOf(
  ctx: NodeContext,
  lxm: string,
): Authenticate<{ credentials: { did: Did | undefined } }> {
  return async ({ req }) => ({
    credentials: { did: await ctx.authenticator.optionalCaller(req, lxm) },
  });
}

/** Requires the operator, and says where they call from. */
export function operatorOf(
  ctx: NodeContext,
  lxm: string,
): Authenticate<{ credentials: { address: string } }> {
  return async ({ req }) => ({ credentials: { address: await ctx.operatorGate.pass(req, lxm) } });
}

/** Requires the operator, or an AppView that the operator named. */
export function operatorOrAppViewOf(
  ctx: NodeContext,
  lxm: string,
): Authenticate<{ credentials: { did: Did } | { address: string } }> {
  return async ({ req }) => {
    // @NOTE a token that is shown to the gate of the operator would count as a wrong password
    if (!SERVICE_AUTH.test(req.headers.authorization ?? '')) {
      return { credentials: { address: await ctx.operatorGate.pass(req, lxm) } };
    }
    return { credentials: { did: await ctx.authenticator.appView(req, lxm) } };
  };
}

/** A token of the form of a JWT. */
const SERVICE_AUTH = /^(bearer|dpop) eyJ[\w-]*\.[\w-]+\.[\w-]+$/i;
