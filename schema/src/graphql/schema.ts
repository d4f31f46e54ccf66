import type { GraphQLSchema } from 'graphql';
import { addActor } from './actor.ts';
import { addBoundary } from './boundary.ts';
import { createBuilder } from './builder.ts';
import { addPostConnection } from './feed.ts';
import { addMedia } from './media.ts';
import { addPost, addPostReferences } from './post.ts';
import { addPostProof } from './post-proof.ts';
import { addProfile } from './profile.ts';
import { addQuery } from './query.ts';
import { addFacet } from './rich-text.ts';
import { addScalars } from './scalars.ts';
import { addStratosNode } from './stratos-node.ts';
import { addSubscription } from './subscription.ts';
import { addThread } from './thread.ts';
import { addUnavailablePost } from './unavailable-post.ts';
import { addViewer } from './viewer.ts';

/** The GraphQL schema. Its resolvers call the operations of an {@link ApiContext}. */
export function buildGraphqlSchema(): GraphQLSchema {
  const builder = createBuilder();
  addScalars(builder);
  const boundary = addBoundary(builder);
  const post = addPost(builder, {
    boundary,
    actor: addActor(builder),
    facet: addFacet(builder),
    media: addMedia(builder),
  });
  addPostReferences(builder, post);
  addPostProof(builder, post);
  const unavailablePost = addUnavailablePost(builder);
  const postConnection = addPostConnection(builder, { post, unavailablePost });
  addQuery(builder, {
    boundary,
    post,
    postConnection,
    profile: addProfile(builder, { boundary, postConnection }),
    stratosNode: addStratosNode(builder, boundary),
    thread: addThread(builder, post, postConnection),
    unavailablePost,
    viewer: addViewer(builder, boundary),
  });
  addSubscription(builder, { post, boundary });
  return builder.toSchema({ sortSchema: true });
}
