export { type NodeConfig, readConfig } from './config.ts';
export { enroll } from './enrollment/enroll.ts';
export { type NodeService, type NodeServiceParts, startNode } from './service.ts';
