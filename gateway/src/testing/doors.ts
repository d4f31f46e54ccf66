export { GRAPHQL_PROCEDURE, graphql, overGraphqlProcedure } from './over-graphql.ts';
export type {
  Question,
  SeenPage,
  SeenPost,
  SeenProof,
  SeenReply,
  SeenThread,
} from './questions.ts';
export { type Answer, authorization, send } from './send.ts';
export { type Door, SURFACES } from './surfaces.ts';
