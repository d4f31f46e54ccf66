import { TID } from '@atproto/common-web';
import { isPlainObject, type LexMap } from '@atproto/lex-data';
import { isValidNsid } from '@atproto/syntax';
import { isRecordKey } from '@stratos/protocol';
import { com } from '@stratos/protocol/lexicons';
import { NodeError } from '../node-error.ts';
import { MAX_WRITES, type Write } from './write.ts';

const { create, update, delete: remove } = com.atproto.repo.applyWrites;
const ACTIONS = { create, update, delete: remove };
type Action = keyof typeof ACTIONS;

/**
 * The writes of a request, each typed by the lexicon (`$type`, `value`) or in the older shape
 * (`action`, `record`). Throws `InvalidRequest`.
 */
export function parseWrites(items: readonly LexMap[]): Write[] {
  if (items.length === 0) throw new NodeError('InvalidRequest', 'There is nothing to write');
  if (items.length > MAX_WRITES) {
    throw new NodeError('InvalidRequest', `There are more than ${MAX_WRITES} writes`);
  }
  return items.map(parseWrite);
}

function parseWrite(item: LexMap, index: number): Write {
  const action = actionOf(item);
  const { rkey = action === 'create' ? TID.nextStr() : undefined } = item;
  const { collection, value, record = value } = item;
  if (
    action === undefined ||
    typeof collection !== 'string' ||
    !isValidNsid(collection) ||
    typeof rkey !== 'string' ||
    !isRecordKey(rkey)
  ) {
    throw new NodeError('InvalidRequest', `The write ${index} is not a valid one`);
  }
  if (action === 'delete') return { action, collection, rkey };
  if (!isPlainObject(record)) {
    throw new NodeError('InvalidRequest', `The write ${index} has no record`);
  }
  return { action, collection, rkey, record };
}

function actionOf({ $type, action = $type }: LexMap): Action | undefined {
  const names = Object.keys(ACTIONS) as Action[];
  return names.find((name) => {
    const full = ACTIONS[name].$type;
    return action === full || action === full.slice(full.indexOf('#')) || action === name;
  });
}
