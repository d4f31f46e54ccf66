export { People, type Person, serviceAuth } from './people.ts';
export { startTestGateway, type TestGateway } from './test-gateway.ts';
export { type PostFacts, World, type WrittenPost } from './world.ts';
