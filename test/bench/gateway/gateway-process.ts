import { readConfig, startGateway } from '@stratos/gateway';
import { reportToParent } from '../child.ts';

// A gateway as in production.
const gateway = await startGateway(readConfig(process.env));
reportToParent(gateway.port, gateway);
