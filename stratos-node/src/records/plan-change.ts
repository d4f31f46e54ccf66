import { buildStub } from '@stratos/protocol';
import type { NodeConfig } from '../config.ts';
import { NodeError } from '../node-error.ts';
import type { Change } from '../repo/build-commit.ts';
import type { RecordStanding, StubChange } from '../storage/actor-storage.ts';
import type { CheckedPut, CheckedWrite } from './check-write.ts';

type StubConfig = Pick<NodeConfig, 'stubs' | 'serviceDid' | 'serviceFragment'>;

/**
 * What a write changes about what is stored; undefined if that is as the write wants it already,
 * so that asking twice is the same as asking once.
 *
 * @throws {@link NodeError} `InvalidSwap`, or `InvalidRequest` if what is stored rules it out
 */
export function planChange(
  config: StubConfig,
  write: CheckedWrite,
  existing: RecordStanding | undefined,
): Change | undefined {
  if (existing?.isTakenDown) {
    throw new NodeError('InvalidRequest', 'The record with this key was taken down');
  }
  const wanted = write.action === 'delete' ? undefined : write.cid;
  if (existing?.cid === wanted) return undefined;
  if (write.swapRecord !== undefined && write.swapRecord !== (existing?.cid ?? null)) {
    throw new NodeError('InvalidSwap');
  }
  const { collection, rkey } = write;
  const path = `${collection}/${rkey}`;
  const before = existing && { prev: existing.cid, prevBoundaries: existing.boundaries };
  if (write.action === 'delete') {
    return {
      op: { action: 'delete', path, ...before },
      bytes: undefined,
      stub: config.stubs ? { action: 'delete', collection, rkey } : undefined,
    };
  }
  checkPresence(write, existing);
  const { bytes, cid, boundaries } = write;
  return {
    op: { action: existing ? 'update' : 'create', path, cid, boundaries, ...before },
    bytes,
    stub: stubOf(config, write),
  };
}

function checkPresence({ action }: CheckedPut, existing: RecordStanding | undefined): void {
  if (action === 'create' && existing) {
    throw new NodeError('InvalidRequest', 'There is already another record with this key');
  }
  if (action === 'update' && !existing) {
    throw new NodeError('InvalidRequest', 'There is no record with this key');
  }
}

function stubOf(config: StubConfig, write: CheckedPut): StubChange | undefined {
  if (!config.stubs) return undefined;
  const { collection, rkey, uri, cid, record } = write;
  const { serviceDid: nodeDid, serviceFragment: fragment } = config;
  return {
    action: 'put',
    collection,
    rkey,
    stub: buildStub({ uri, cid, nodeDid, fragment, record }),
  };
}
