import { operationsOf } from '../context.ts';
import type { PostProofView } from '../views.ts';
import type { Builder } from './builder.ts';
import type { PostRef } from './post.ts';

/** What shows a post to be its author's, as a field of the post. */
export function addPostProof(builder: Builder, post: PostRef): void {
  const proof = builder.objectRef<PostProofView>('PostProof').implement({
    description:
      'What shows that a post is what its author signed, for whoever trusts nobody but the DID document of the node. Bytes are base64.',
    fields: (t) => ({
      uri: t.expose('uri', { type: 'AtUri', description: 'The address of the post.' }),
      cid: t.expose('cid', { type: 'Cid', description: 'The hash of the record.' }),
      node: t.expose('node', { type: 'Did', description: 'The node that holds it.' }),
      record: t.exposeString('record', {
        description: 'The record as it was signed, with all its boundaries: DAG-CBOR.',
      }),
      commit: t.exposeString('commit', {
        description:
          'A CAR of the signed commit that has the record and of the nodes of the tree on the way to it. It shows keys and hashes of records beside that way, and nothing that is in them.',
      }),
      signingKey: t.exposeString('signingKey', {
        description: 'The author’s key at the node, `did:key:…`.',
      }),
      membership: t.exposeString('membership', {
        nullable: true,
        description:
          'What the node states about the author, signed by it: DAG-CBOR of a `zone.stratos.membership.defs#entry`. It names all boundaries of the author at the node; null when the viewer does not share all of them, or the node keeps no log.',
      }),
      stubCid: t.expose('stubCid', {
        type: 'Cid',
        nullable: true,
        description: 'The hash that the stub on the author’s PDS names; null when there is none.',
      }),
    }),
  });
  builder.objectFields(post, (t) => ({
    proof: t.field({
      type: proof,
      nullable: true,
      description:
        'What shows that it is what its author signed. The signed record names all its boundaries: null for anybody but its author who does not share every one of them.',
      resolve: (proven, _, context) => operationsOf(context).postProof(proven),
    }),
  }));
}
