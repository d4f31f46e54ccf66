export {
  type Connection,
  type ConnectionOptions,
  connect,
  type GraphqlRequest,
  type GraphqlResult,
  type Sink,
} from './connection.ts';
export * from './generated/documents.ts';
export type { Session } from './session.ts';
