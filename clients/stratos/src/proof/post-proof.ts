/** Bytes as the JSON of AT Protocol has them: base64. */
export interface BytesJson {
  $bytes: string;
}

/** What a gateway gives to show that a post is its author's. Bytes are base64, as GraphQL and tRPC have them. */
export interface PostProof {
  /** The address of the post. */
  uri: string;
  /** The CID of its record. */
  cid: string;
  /** The DID of the node that holds it. */
  node: string;
  /** The record as it was signed: DAG-CBOR. */
  record: string | BytesJson;
  /** A CAR of the commit that has the record, and of the nodes of the tree on the way to it. */
  commit: string | BytesJson;
  /** The author's key at the node, `did:key:…`. */
  signingKey: string;
  /** What the node states about the author, signed: DAG-CBOR of a `zone.stratos.membership.defs#entry`. */
  membership?: string | BytesJson | null | undefined;
  /** The CID that the stub on the author's PDS has, as the gateway saw it. */
  stubCid?: string | null | undefined;
}
