import { startTestGateway, type TestGateway } from '@stratos/gateway/testing';
import { qualifyBoundary, toDid } from '@stratos/protocol';

export const NODE = toDid('did:web:node.test');
export const BOUNDARY = qualifyBoundary(NODE, 'open');
/** Texts of what there is to be read, newest first. */
export const TEXTS = Array.from({ length: 12 }, (_, index) => `post ${11 - index}`);

export interface JudgedGateway extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  readonly authorization: { authorization: string };
}

/** A gateway with somebody who is signed in and may read twelve posts. */
export async function startJudgedGateway(): Promise<JudgedGateway> {
  const gateway: TestGateway = await startTestGateway();
  const { world, people } = gateway;
  const [reader, writer] = [people.add('reader'), people.add('writer')];
  await world.node(NODE);
  await world.actor(writer.did, { handle: 'writer.test' });
  await world.member(reader.did, NODE, [BOUNDARY]);
  for (const [index, text] of TEXTS.toReversed().entries()) {
    const at = new Date(Date.UTC(2026, 0, 1, 0, 0, index));
    await world.post({
      author: writer.did,
      node: NODE,
      boundaries: [BOUNDARY],
      rkey: `r${index}`,
      text,
      at,
    });
  }
  const token = await gateway.session(reader);
  return {
    url: gateway.url,
    token,
    authorization: { authorization: `Bearer ${token}` },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
