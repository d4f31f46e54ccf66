import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zone } from '@stratos/protocol/lexicons';
import { People, type Person } from '../bench/people.ts';
import { Random } from '../random.ts';
import { Community } from './community.ts';
import { DoomedNode, nodeEnv } from './doomed-node.ts';
import { pdsProblems, repoProblems, standingsOf } from './invariants.ts';
import { Observer } from './observer.ts';
import { UnsteadyPds } from './unsteady-pds.ts';
import { Writer } from './writer.ts';

const ACTORS = 4;
const WRITERS_EACH = 2;
const LONGEST_LIFE_MS = 1_000;
/** How often a node is killed again before it listens. */
const KILLED_AT_BIRTH = 0.15;
/** Retries of one job after another take seconds, not more. */
const STUCK_AFTER_MS = 60_000;

export interface CrashOptions {
  times: number;
  seed: number;
  /** Variables that say where the node keeps its data. */
  storage: Record<string, string>;
  /** After how many kills the stream is read anew from its beginning. */
  fullEvery?: number;
  report?: (line: string) => void;
}

export interface CrashSummary {
  kills: number;
  killedAtBirth: number;
  /** Requests that were acknowledged. */
  acknowledged: number;
  commits: number;
  memberships: number;
}

/** A job as `listOutbox` shows it, as far as it matters here. */
interface WaitingJob {
  id: number;
  parkedReason?: string;
}

/** Something that must never be, with what is needed to see it again. */
export class CrashError extends Error {
  override name = 'CrashError';
}

/** Kills a node again and again while people write to it, and looks each time what is left. */
export async function runCrashes(options: CrashOptions): Promise<CrashSummary> {
  const { seed, storage } = options;
  await using stack = new AsyncDisposableStack();
  const random = new Random(seed);
  const dataDir = await mkdtemp(join(tmpdir(), 'stratos-crash-'));
  const { list, directory } = stack.use(await People.start(ACTORS + 1));
  const [appView, ...actors] = list as [Person, ...Person[]];
  const pds = stack.use(await UnsteadyPds.start(random.fork()));
  const env = nodeEnv({ dataDir, appView, directory, pdsUrl: pds.url, storage });
  const run = new CrashRun({ ...options, env, pds, actors, appView, random });
  try {
    const summary = await run.run();
    await rm(dataDir, { recursive: true, force: true });
    return summary;
  } catch (error) {
    const evidence = `seed ${seed}, ${run.kills} kills, data in ${dataDir}`;
    throw new CrashError(`${evidence}\n${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

interface CrashRunOptions extends CrashOptions {
  env: Record<string, string>;
  pds: UnsteadyPds;
  appView: Person;
  actors: readonly Person[];
  random: Random;
}

class CrashRun {
  kills = 0;
  readonly #options: CrashRunOptions;
  readonly #community: Community;
  readonly #writers: readonly Writer[];
  readonly #observer: Observer;
  #killedAtBirth = 0;

  constructor(options: CrashRunOptions) {
    const { actors, random, appView } = options;
    this.#options = options;
    this.#community = new Community(actors, random.fork());
    this.#writers = actors.flatMap((person) =>
      Array.from({ length: WRITERS_EACH }, () => new Writer(person, random.fork())),
    );
    this.#observer = new Observer(appView);
  }

  async run(): Promise<CrashSummary> {
    const { times, fullEvery = 10, report = () => undefined } = this.#options;
    let node = await this.#start();
    try {
      await this.#community.begin(node);
      while (this.kills < times) {
        await this.#load(node);
        node = await this.#start();
        await this.#check(node, this.#observer);
        const isFull = this.kills % fullEvery === 0 || this.kills >= times;
        if (isFull) await this.#check(node, new Observer(this.#options.appView));
        report(`${this.kills} kills, ${this.#observer.commits} commits, all as it must be`);
      }
      await this.#checkPds(node);
    } finally {
      await node.kill();
    }
    return {
      kills: this.kills,
      killedAtBirth: this.#killedAtBirth,
      acknowledged: this.#writers.reduce((sum, writer) => sum + writer.acknowledged, 0),
      commits: this.#observer.commits,
      memberships: this.#observer.memberships,
    };
  }

  /** A node that listens, after some that did not live to. */
  async #start(): Promise<DoomedNode> {
    const { env, random } = this.#options;
    for (;;) {
      const killAfterMs = random.chance(KILLED_AT_BIRTH) ? random.between(50, 1_500) : undefined;
      const node = await DoomedNode.start(env, this.kills > 0 ? killAfterMs : undefined);
      if (node) return node;
      this.#killedAtBirth++;
      this.kills++;
    }
  }

  /** Lets everybody write at once, and kills the node in the middle of it. */
  async #load(node: DoomedNode): Promise<void> {
    const stop = new AbortController();
    const busy = [
      this.#community.change(node, stop.signal),
      ...this.#writers.map((writer) => writer.write(node, stop.signal)),
    ];
    await sleep(this.#options.random.between(1, LONGEST_LIFE_MS));
    await node.kill();
    stop.abort();
    this.kills++;
    await Promise.all(busy);
  }

  async #check(node: DoomedNode, observer: Observer): Promise<void> {
    await observer.catchUp(node);
    const problems = [
      ...this.#community.complaints,
      ...this.#writers.flatMap(({ complaints }) => complaints),
      ...this.#community.ledger.settle(standingsOf(observer)),
    ];
    for (const person of this.#options.actors) {
      const own = this.#writers.filter((writer) => writer.person === person);
      problems.push(...(await repoProblems(node, person, observer, own)));
    }
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }

  async #checkPds(node: DoomedNode): Promise<void> {
    await this.#drained(node);
    const problems = [];
    for (const person of this.#options.actors) {
      problems.push(...(await pdsProblems(node, person, this.#observer, this.#options.pds)));
    }
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }

  /** A queue that grew over hundreds of short lives may take its time, as long as it gets shorter. */
  async #drained(node: DoomedNode): Promise<void> {
    const { $nsid } = zone.stratos.admin.listOutbox;
    let oldest: number | undefined;
    let deadline = Number.POSITIVE_INFINITY;
    for (;;) {
      const { body } = await node.call<{ jobs: WaitingJob[] }>('operator', $nsid);
      const [first] = body.jobs;
      if (!first) return;
      const parked = body.jobs.find(({ parkedReason }) => parkedReason);
      if (parked) throw new Error(`an outbox job is parked: ${parked.parkedReason}`);
      if (first.id !== oldest) deadline = Date.now() + STUCK_AFTER_MS;
      oldest = first.id;
      if (Date.now() > deadline) {
        throw new Error(`the outbox is stuck: ${JSON.stringify(body.jobs.slice(0, 5))}`);
      }
      await sleep(200);
    }
  }
}
