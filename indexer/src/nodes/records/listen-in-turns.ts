import { setTimeout as sleep } from 'node:timers/promises';
import type { Did } from '@stratos/protocol';
import type PQueue from 'p-queue';
import { TakenOverError } from '../../followers/fence.ts';
import type { Logger } from '../../logger.ts';
import { GarbledStreamError } from '../node-stream.ts';
import { ActorTurns } from './actor-turns.ts';
import { type ActorSource, listenToActor } from './listen-to-actor.ts';

/** Sockets to one node. */
const SOCKETS_PER_NODE = 8;
/** Milliseconds until it is looked again whether there is anybody to be listened to. */
const IDLE_MS = 2_000;
/** Milliseconds for which a socket rests that was of no use. */
const REST_MS = 1_000;

export interface TurnsSource extends Omit<ActorSource, 'isCrowded'> {
  /** The sockets of all nodes together: who asked first is next. */
  sockets: PQueue;
  logger: Logger;
  /** Told of how many are listened to. */
  onListening: (count: number) => void;
  /** How many members there are. */
  members: () => number;
}

/**
 * Listens to everybody at a node in turns, as long as the signal lets it.
 *
 * @throws GarbledStreamError for a node that sends anything else than a stream
 */
export async function listenInTurns(source: TurnsSource, signal: AbortSignal): Promise<void> {
  const { db, nodeDid, sockets, logger, onListening, members } = source;
  const turns = new ActorTurns(db, nodeDid);
  const stop = new AbortController();
  const ends = AbortSignal.any([signal, stop.signal]);
  const actorSource = {
    ...source,
    isCrowded: () => members() > turns.count || sockets.size > 0,
  };
  let listening = 0;
  const listen = async (did: Did) => {
    onListening(++listening);
    await listenToActor(actorSource, did, ends).finally(() => onListening(--listening));
  };
  let broken: Error | undefined;
  let freed = Promise.withResolvers<void>();
  const take = async (did: Did) => {
    let hasFailed = false;
    try {
      await sockets.add(() => listen(did), { signal: ends });
    } catch (error) {
      if (ends.aborted) return;
      if (error instanceof GarbledStreamError || error instanceof TakenOverError) {
        broken = error;
        return stop.abort();
      }
      hasFailed = true;
      logger.debug({ err: error }, 'somebody cannot be listened to');
      await sleep(REST_MS, undefined, { signal: ends }).catch(() => {});
    } finally {
      turns.end(did, { hasFailed });
      freed.resolve();
    }
  };
  try {
    while (!ends.aborted) {
      if (turns.count >= SOCKETS_PER_NODE) {
        await freed.promise;
        freed = Promise.withResolvers();
        continue;
      }
      const did = await turns.begin();
      if (did !== undefined) void take(did);
      else await sleep(IDLE_MS, undefined, { signal: ends }).catch(() => {});
    }
  } finally {
    stop.abort();
    for (; turns.count > 0; freed = Promise.withResolvers()) await freed.promise;
  }
  if (broken) throw broken;
}
