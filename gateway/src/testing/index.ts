export { briefSession } from './brief-session.ts';
export { LIVE_QUERY, type SeenEvent } from './live-client.ts';
export { LiveStage } from './live-stage.ts';
export { People, type Person, serviceAuth } from './people.ts';
export { startTestGateway, type TestGateway } from './test-gateway.ts';
export { hasRedis, startRedis, type TestRedis } from './test-redis.ts';
export { type PostFacts, World, type WrittenPost } from './world.ts';
