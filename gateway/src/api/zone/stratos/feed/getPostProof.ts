import { zone } from '@stratos/protocol/lexicons';
import type { PostProofView, Visible } from '@stratos/schema';
import { type ApiDependencies, viewerOf } from '../../../context.ts';
import { found } from '../../../found.ts';
import { uriParam } from '../../../params.ts';

const method = zone.stratos.feed.getPostProof;

export function getPostProof({ server, contexts }: ApiDependencies): void {
  server.add(method.main, {
    auth: viewerOf(contexts, method.$lxm),
    handler: async ({ auth: { credentials: operations }, params }) => {
      const post = found(await operations.post({ uri: uriParam(params.uri) }), 'RecordNotFound');
      const proof = await operations.postProof(post);
      return { encoding: 'application/json', body: proof ? { proof: proofView(proof) } : {} };
    },
  });
}

function proofView(proof: Visible<PostProofView>) {
  const { uri, cid, node, record, commit, signingKey, membership, stubCid } = proof;
  return {
    ...{ uri, cid, node, signingKey },
    record: bytes(record),
    commit: bytes(commit),
    ...(membership !== null && { membership: bytes(membership) }),
    ...(stubCid !== null && { stubCid }),
  };
}

function bytes(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64');
}
