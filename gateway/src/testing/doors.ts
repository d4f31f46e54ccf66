export type { Question, SeenPage, SeenPost, SeenReply, SeenThread } from './questions.ts';
export type { Answer } from './send.ts';
export { type Door, SURFACES } from './surfaces.ts';
