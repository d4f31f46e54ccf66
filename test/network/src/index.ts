export {
  Account,
  type GatewaySession,
  type PostReference,
  type ServiceAuthRequest,
} from './account.ts';
export { Browser, type Page } from './browser.ts';
export { DEMO_ACCOUNTS, DEMO_PASSWORD, type DemoAccount } from './demo/accounts.ts';
export { DEMO_POSTS, type DemoPost } from './demo/posts.ts';
export { enrollAccount } from './enroll-account.ts';
export { type LocalNetworkOptions, startLocalNetwork } from './local-network.ts';
export type { LocalNetwork } from './network.ts';
export { NodeAdmin } from './node-admin.ts';
export { signInAndConsent } from './oauth-sign-in.ts';
export { freePorts, PORTS, type Ports } from './ports.ts';
export type { Report } from './report.ts';
export type { Service } from './service.ts';
export type { ServiceName } from './service-definitions.ts';
export { startThrowawayAtproto, type ThrowawayAtproto } from './throwaway-atproto.ts';
export { type BoundaryName, NODES, type NodeName, type Topology } from './topology.ts';
export { procedure, query, XrpcCallError } from './xrpc.ts';
