import type { Server } from '@atproto/xrpc-server';
import { type Boundary, boundaryNode, type Did, isBoundary, isDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { NodeError } from '../../../../node-error.ts';
import { actorStream } from '../../../../stream/actor-stream.ts';
import { enrollmentStream } from '../../../../stream/enrollment-stream.ts';
import { serveStream } from '../../../../stream/serve-stream.ts';

const method = zone.stratos.sync.subscribeRecords;

export function subscribeRecords(server: Server, ctx: NodeContext): void {
  serveStream(server, ctx, method.main, (consumer, params) => {
    const { isAppView, signal } = consumer;
    const { cursor, did } = params;
    const domain = domainOf(ctx.config.serviceDid, params.domain);
    if (did === undefined) {
      if (!isAppView) throw new NodeError('AuthRequired', 'Not an AppView of this node');
      return enrollmentStream(ctx, { cursor, domain, signal });
    }
    const isOwner = did === consumer.did;
    if (!isDid(did) || !(isOwner || isAppView)) throw new NodeError('RepoNotFound');
    const listener = isOwner ? 'owner' : 'AppView';
    return actorStream(ctx, { did, listener, cursor, domain, signal });
  });
}

/** A boundary of this node, of today or of earlier days, by its whole or its bare name. */
function domainOf(node: Did, domain: string | undefined): Boundary | undefined {
  if (domain === undefined) return undefined;
  const boundary = domain.includes('/') ? domain : `${node}/${domain}`;
  if (isBoundary(boundary) && boundaryNode(boundary) === node) return boundary;
  throw new NodeError('InvalidRequest', 'The domain is not a boundary of this node');
}
