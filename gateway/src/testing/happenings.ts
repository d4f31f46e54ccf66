import type { AtUri, Boundary, Did } from '@stratos/protocol';
import type { PostFacts, World, WrittenPost } from './world.ts';

/** Numbers of changes are given in the order of commits, by this lock. */
const TURN = 0x6368616e676573n;

export interface Happening {
  kind: 'post' | 'gone' | 'membership' | 'account' | 'node';
  node?: Did;
  did?: Did;
  uri?: AtUri;
  boundaries?: Boundary[];
}

/** Has things happen in a world, and says so as the indexer does. */
export class Happenings {
  readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  async post(facts: PostFacts): Promise<WrittenPost> {
    const post = await this.world.post(facts);
    const { author: did, node, uri, boundaries } = post;
    await this.tell({ kind: 'post', node, did, uri, boundaries: facts.readers ?? boundaries });
    return post;
  }

  /** Replaces a post by another at the same address. */
  async edit(post: WrittenPost, facts: Partial<PostFacts>): Promise<WrittenPost> {
    const { uri, node, author: did } = post;
    await this.world.prisma.post.deleteMany({ where: { uri, nodeDid: node } });
    const edited = await this.world.post({ ...post, ...facts });
    const left = post.boundaries.filter((boundary) => !edited.boundaries.includes(boundary));
    if (left.length > 0) await this.tell({ kind: 'gone', node, did, uri, boundaries: left });
    await this.tell({ kind: 'post', node, did, uri, boundaries: edited.boundaries });
    return edited;
  }

  async remove({ uri, node, author: did, boundaries }: WrittenPost): Promise<void> {
    await this.world.prisma.post.deleteMany({ where: { uri, nodeDid: node } });
    await this.tell({ kind: 'gone', node, did, uri, boundaries });
  }

  /** Makes a member of a node one of these of its boundaries, and of no others. */
  async member(did: Did, node: Did, boundaries: Boundary[]): Promise<void> {
    const id = { did, nodeDid: node };
    const { prisma } = this.world;
    const before = await prisma.membershipBoundary.findMany({ where: id });
    await prisma.$transaction([
      prisma.membershipBoundary.deleteMany({ where: { ...id, boundary: { notIn: boundaries } } }),
      prisma.membershipBoundary.createMany({
        data: boundaries.map((boundary) => ({ ...id, boundary })),
        skipDuplicates: true,
      }),
    ]);
    const held = before.map(({ boundary }) => boundary as Boundary);
    const changed = new Set(held).symmetricDifference(new Set(boundaries));
    await this.tell({ kind: 'membership', node, did, boundaries: [...changed] });
  }

  /** Has the lease of a node end or begin. That it begins is told. */
  async lease(node: Did, leaseUntil: Date): Promise<void> {
    await this.world.node(node, { leaseUntil });
    if (leaseUntil.getTime() > Date.now()) await this.tell({ kind: 'node', node });
  }

  async tell({ kind, node, did, uri, boundaries = [] }: Happening): Promise<void> {
    await this.world.prisma.$executeRaw`
      with turn as materialized (select pg_advisory_xact_lock(${TURN})),
      told as (
        insert into stratos_change (at, kind, node_did, did, uri, boundaries)
        select clock_timestamp(), ${kind}, ${node}, ${did}, ${uri}, ${boundaries} from turn
        returning seq
      )
      select pg_notify('stratos_change', max(seq)::text) from told`;
  }
}
