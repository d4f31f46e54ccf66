import type { GraphQLSchema } from 'graphql';
import { addActor } from './actor.ts';
import { addBoundary } from './boundary.ts';
import { createBuilder } from './builder.ts';
import { addPostConnection } from './feed.ts';
import { addPost } from './post.ts';
import { addQuery } from './query.ts';
import { addScalars } from './scalars.ts';
import { addViewer } from './viewer.ts';

/** The GraphQL schema. Its resolvers call the operations of an {@link ApiContext}. */
export function buildGraphqlSchema(): GraphQLSchema {
  const builder = createBuilder();
  addScalars(builder);
  const boundary = addBoundary(builder);
  const post = addPost(builder, { actor: addActor(builder), boundary });
  addQuery(builder, {
    post,
    postConnection: addPostConnection(builder, post),
    viewer: addViewer(builder, boundary),
  });
  return builder.toSchema({ sortSchema: true });
}
