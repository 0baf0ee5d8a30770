import type { Context } from '@millwright/local';
import { loadCore } from '@millwright/native-wasm';
import type { Lab } from '../lab.ts';
import type { Measure } from '../report.ts';
import { measureApply } from './apply.ts';
import { openCorpus } from './corpus.ts';
import { measureDiff } from './diff.ts';
import { measureFootprint } from './footprint.ts';
import { measureIndexBuild } from './index-build.ts';
import { openPeers } from './peers.ts';
import { profiled } from './profiler.ts';
import { measureQueries } from './queries.ts';
import { measureSecrets } from './secrets.ts';
import type { Work } from './work.ts';

const TREE_BYTES = 100_000_000;

/** The operations on code, each beside the tool that people would use instead. */
export async function measureCore(lab: Lab, ctx: Context): Promise<Measure[]> {
  const { cleanup, rounds, scaled } = lab;
  const core = await loadCore();
  const peers = await openPeers(ctx, cleanup);
  const work: Work = { cleanup, rounds, scaled, core, peers };
  const corpus = await openCorpus(ctx, cleanup, core, scaled(TREE_BYTES));
  // The share of the time that each takes, about.
  const parts: [number, (report: (fraction: number) => void) => Promise<Measure[]>][] = [
    [0.5, (report) => measureDiff(work, report)],
    [0.15, (report) => measureApply(work, report)],
    [0.1, (report) => measureIndexBuild(work, corpus, report)],
    [0.15, (report) => measureQueries(work, corpus, report)],
    [0.08, (report) => measureSecrets(work, corpus, report)],
    [0.02, (report) => measureFootprint(work, report)],
  ];
  const measures: Measure[] = [];
  let done = 0;
  await profiled(lab.profileDir, async () => {
    for (const [share, part] of parts) {
      const before = done;
      measures.push(...(await part((fraction) => lab.report(before + fraction * share))));
      done += share;
      lab.report(done);
    }
  });
  return measures;
}
