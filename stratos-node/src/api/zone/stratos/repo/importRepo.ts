import type { Server } from '@atproto/xrpc-server';
import { isDid } from '@stratos/protocol';
import { zone } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { Slots } from '../../../../limits/slots.ts';
import { NodeError } from '../../../../node-error.ts';
import { enrolled } from '../../../../records/enrolled.ts';
import { parseBoundaryMapping } from '../../../../transfer/boundary-mapping.ts';
import { boundedBody } from '../../../../transfer/bounded-body.ts';
import { importRepo as fillRepo } from '../../../../transfer/import-repo.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = zone.stratos.repo.importRepo;
/** Each takes a processor, and twice its size on disk for a while. */
const LIMITS = { total: 2, perCaller: 1 };

export function importRepo(server: Server, ctx: NodeContext): void {
  const slots = new Slots(LIMITS);
  const { serviceDid, importMaxBytes } = ctx.config;
  addMethod(
    server,
    method.main,
    callerOf(ctx, method.$lxm),
    async ({ auth, params, input, req, res }) => {
      // @NOTE or what is left of the body would be read to its end, only to be thrown away
      res.shouldKeepAlive = false;
      const { did } = auth.credentials;
      const { source = serviceDid, boundaries = [] } = params;
      if (!isDid(source)) throw new NodeError('InvalidRequest', 'source is not a DID');
      const mapping = parseBoundaryMapping(boundaries, ctx.config);
      await enrolled(ctx, did);
      if (Number(req.headers['content-length'] ?? 0) > importMaxBytes) {
        throw new NodeError('PayloadTooLarge', 'The CAR is too large');
      }
      using _slot = slots.take(did);
      const body = await fillRepo(ctx, did, boundedBody(input.body, importMaxBytes), {
        source,
        mapping,
      });
      ctx.logger.info({ did, source, records: body.imported }, 'a repo was imported');
      res.shouldKeepAlive = true;
      return { encoding: 'application/json' as const, body };
    },
  );
}
