import { type Boundary, type Did, toBoundary, toDid } from '@stratos/protocol';
import { Happenings } from './happenings.ts';
import { LiveClient, type LiveClientOptions } from './live-client.ts';
import type { Person } from './people.ts';
import type { TestGateway } from './test-gateway.ts';
import type { PostFacts, WrittenPost } from './world.ts';

let stages = 0;

/** A node of its own in a world, with people who read and one who writes. */
export class LiveStage {
  readonly gateway: TestGateway;
  readonly happenings: Happenings;
  readonly node: Did;
  readonly author: Person;

  private constructor(gateway: TestGateway, node: Did) {
    this.gateway = gateway;
    this.happenings = new Happenings(gateway.world);
    this.node = node;
    this.author = this.person('author');
  }

  static async on(gateway: TestGateway): Promise<LiveStage> {
    stages += 1;
    const stage = new LiveStage(gateway, toDid(`did:web:node${stages}.test`));
    await gateway.world.node(stage.node);
    return stage;
  }

  boundary(name: string): Boundary {
    return toBoundary(`${this.node}/${name}`);
  }

  boundaries(...names: string[]): Boundary[] {
    return names.map((name) => this.boundary(name));
  }

  person(name: string): Person {
    return this.gateway.people.add(`${name}${stages}x`);
  }

  /** Somebody who is a member of some boundaries, and their session. */
  async reader(name: string, ...boundaries: string[]): Promise<{ did: Did; token: string }> {
    const person = this.person(name);
    await this.gateway.world.member(person.did, this.node, this.boundaries(...boundaries));
    return { did: person.did, token: await this.gateway.session(person) };
  }

  follow(token: string, options?: LiveClientOptions): Promise<LiveClient> {
    return LiveClient.open(this.gateway.url, token, options);
  }

  post(rkey: string, boundaries: string[], more: Partial<PostFacts> = {}): Promise<WrittenPost> {
    const { node, author } = this;
    const facts = { author: author.did, node, rkey, boundaries: this.boundaries(...boundaries) };
    return this.happenings.post({ ...facts, ...more });
  }

  member(did: Did, ...boundaries: string[]): Promise<void> {
    return this.happenings.member(did, this.node, this.boundaries(...boundaries));
  }
}
