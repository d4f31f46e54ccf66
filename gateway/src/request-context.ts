import type { Did } from '@stratos/protocol';
import type { ApiContext } from '@stratos/schema';
import type { Request, Response } from 'express';
import { type OperationsOptions, ViewerOperations } from './operations/operations.ts';
import type { RequestViewers } from './viewer/requests.ts';

/** What the three surfaces have in common: who sent a request, and what they can do. */
export class RequestContexts {
  readonly #viewers: RequestViewers;
  readonly #options: OperationsOptions;

  constructor(viewers: RequestViewers, options: OperationsOptions) {
    this.#viewers = viewers;
    this.#options = options;
  }

  /** Throws an `ApiError` when the credentials do not hold; without any there are no operations. */
  async of(req: Request, res: Response, lxm: string): Promise<ApiContext> {
    const viewer: Did | undefined = await this.#viewers.identify(req, res, lxm);
    return { operations: viewer && new ViewerOperations(viewer, this.#options) };
  }
}
