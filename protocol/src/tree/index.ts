export * from './cid-bytes.ts';
export * from './node-codec.ts';
export * from './node-source.ts';
export * from './tree-change.ts';
export * from './tree-node.ts';
export * from './tree-path.ts';
