import { l } from '@atproto/lex-schema';
import type { Server } from '@atproto/xrpc-server';
import { com } from '@stratos/protocol/lexicons';
import type { NodeContext } from '../../../../context.ts';
import { requireOwnRepo } from '../../../../records/own-repo.ts';
import { parseWrites } from '../../../../records/parse-writes.ts';
import type { WriteResult } from '../../../../records/write.ts';
import { writeRecords } from '../../../../records/write-records.ts';
import { addMethod, callerOf } from '../../../add-method.ts';

const method = com.atproto.repo.applyWrites;
/** Two hundred records of twenty kilobytes; larger ones take more requests. */
const MAX_BODY_BYTES = 4 * 2 ** 20;

// @NOTE the lexicon's closed union would refuse the older shape of writes
const lenientInput = l.jsonPayload({
  repo: l.string({ format: 'at-identifier' }),
  validate: l.optional(l.boolean()),
  writes: l.array(l.lexMap()),
  swapCommit: l.optional(l.string({ format: 'cid' })),
});
const lenient = l.procedure(method.$nsid, method.$params, lenientInput, method.$output, [
  'InvalidSwap',
]);

export function applyWrites(server: Server, ctx: NodeContext): void {
  addMethod(
    server,
    lenient,
    callerOf(ctx, method.$lxm),
    async ({ auth, input }) => {
      const { did } = auth.credentials;
      const { repo, writes, ...options } = input.body;
      await requireOwnRepo(ctx, did, repo);
      const { commit, results } = await writeRecords(ctx, did, parseWrites(writes), options);
      const body = { ...(commit && { commit }), results: results.map(typedResult) };
      return { encoding: 'application/json' as const, body };
    },
    { maxBodyBytes: MAX_BODY_BYTES },
  );
}

function typedResult(result: WriteResult) {
  if (result.action === 'delete') return method.deleteResult.build({});
  const { action, uri, cid, validationStatus } = result;
  const type = action === 'create' ? method.createResult : method.updateResult;
  return type.build({ uri, cid, validationStatus });
}
