export { type DidDocument, didDocumentKeys } from './proof/did-document.ts';
export type { BytesJson, PostProof } from './proof/post-proof.ts';
export {
  type PostProofVerdict,
  type Step,
  type VerifyPostProofOptions,
  verifyPostProof,
} from './proof/verify-post-proof.ts';
