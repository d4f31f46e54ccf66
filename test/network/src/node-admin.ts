import { zone } from '@stratos/protocol/lexicons';
import { procedure, query } from './xrpc.ts';

/** What the operator of a node does, and what anybody may ask it. Boundaries are qualified. */
export class NodeAdmin {
  readonly #url: string;
  readonly #authorization: string;

  constructor(url: string, password: string) {
    this.#url = url;
    this.#authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  }

  async setBoundaries(did: string, boundaries: readonly string[]): Promise<void> {
    await this.#call(zone.stratos.admin.setBoundaries.$nsid, { did, boundaries });
  }

  async addBoundary(did: string, boundary: string): Promise<void> {
    await this.#call(zone.stratos.admin.addBoundary.$nsid, { did, boundary });
  }

  async removeBoundary(did: string, boundary: string): Promise<void> {
    await this.#call(zone.stratos.admin.removeBoundary.$nsid, { did, boundary });
  }

  async isEnrolled(did: string): Promise<boolean> {
    const status = await query<zone.stratos.enrollment.status.$OutputBody>(
      this.#url,
      zone.stratos.enrollment.status.$nsid,
      { params: { did } },
    );
    return status.enrolled;
  }

  async #call(nsid: string, body: unknown): Promise<void> {
    await procedure(this.#url, nsid, body, { authorization: this.#authorization });
  }
}
