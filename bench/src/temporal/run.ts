import type { Context } from '@millwright/local';
import type { Lab } from '../lab.ts';
import { measurePeers } from '../measures/peers.ts';
import type { Measure } from '../report.ts';
import { startTemporalPeer } from './peer.ts';
import { startTemporalServer } from './server.ts';

/** Starts Temporal, measures, and ends it. */
export async function runPeers(lab: Lab, ctx: Context): Promise<Measure[]> {
  await using server = await startTemporalServer(ctx, lab.cleanup);
  await using peer = await startTemporalPeer(server.address, lab.cleanup);
  return await measurePeers(lab, peer);
}
