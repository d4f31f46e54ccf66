export { type DemoAccount, type GatewayConfig, readConfig } from './config.ts';
export { GRAPHQL_METHOD, TRPC_METHOD } from './methods.ts';
export { type Gateway, startGateway } from './service.ts';
