export { type EnrollmentRecord, parseEnrollmentRecord } from './discovery/enrollment-record.ts';
export {
  type Enrollment,
  type ListEnrollmentsOptions,
  listEnrollments,
} from './discovery/list-enrollments.ts';
export {
  InvalidInputError,
  NotFoundError,
  RefusedError,
  StratosError,
  UnreachableError,
} from './errors.ts';
export type { Asking, Fetch } from './http/request.ts';
export type { XrpcService } from './http/xrpc.ts';
export {
  type AtUri,
  type Did,
  isAtUri,
  isDid,
  parseAtUri,
  type RecordAddress,
} from './identifiers.ts';
export {
  claimedHandle,
  type DidDocument,
  didDocumentKeys,
  gatewayEndpoint,
  nodeEndpoint,
  pdsEndpoint,
} from './identity/did-document.ts';
export {
  createDidResolver,
  type DidResolver,
  type DidResolverOptions,
} from './identity/did-resolver.ts';
export { type FindPersonOptions, findPerson, type Person } from './identity/find-person.ts';
export {
  createHandleResolver,
  type HandleResolver,
  type HandleResolverOptions,
  isHandle,
} from './identity/handle-resolver.ts';
export { type ExportRepoOptions, exportRepo } from './leaving/export-repo.ts';
export { unenroll } from './leaving/unenroll.ts';
export type { BytesJson, PostProof } from './proof/post-proof.ts';
export {
  type PostProofVerdict,
  type Step,
  type VerifyPostProofOptions,
  verifyPostProof,
} from './proof/verify-post-proof.ts';
export { type Hydrated, type HydrateOptions, hydrate } from './reading/hydrate.ts';
export { type WaitUntilVisibleOptions, waitUntilVisible } from './reading/wait-until-visible.ts';
export { type Boundary, isBoundary, nodeOfBoundaries, parseBoundary } from './routing/boundary.ts';
export { type FindStubOptions, findStub } from './routing/find-stub.ts';
export { type FindNodeOptions, findNode, type Service } from './routing/node.ts';
export { parseStub, type Stub } from './routing/stub.ts';
export {
  permissionSetScope,
  type RepoAction,
  type RpcScopeOptions,
  repoScope,
  rpcScope,
  SESSION_SCOPE,
  withScopeFallback,
} from './scopes/scopes.ts';
export type { Pds } from './session/pds.ts';
export {
  type OpenGatewaySessionOptions,
  type OpenNodeSessionOptions,
  type OpenSessionOptions,
  openGatewaySession,
  openNodeSession,
  type RequestLine,
  type Session,
} from './session/session.ts';
export type { ExternalCard, Shown } from './writing/embed.ts';
export {
  type Facet,
  type FacetFeature,
  type FindFacetsOptions,
  findFacets,
} from './writing/facets.ts';
export { type Draft, deletePost, type Edit, editPost, writePost } from './writing/posts.ts';
export {
  createRecord,
  deleteRecord,
  type NewRecord,
  putRecord,
  type RecordRef,
  type ReplacedRecord,
} from './writing/records.ts';
export {
  type BlobRef,
  type Image,
  type UploadedImage,
  uploadImage,
} from './writing/upload-image.ts';
