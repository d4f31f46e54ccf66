export { Author, create, postRecord, remove, type UnplacedCommit, update } from './author.ts';
export { bytesOf, LyingNode } from './lying-node.ts';
