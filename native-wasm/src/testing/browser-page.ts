import { loadCore } from '../browser.ts';
import { cases } from './cases/index.ts';

/** Runs a case of the table in the page; its answer as JSON. */
Object.assign(globalThis, {
  async runCase(index: number): Promise<string> {
    return JSON.stringify((await cases[index]?.run(await loadCore())) ?? null);
  },
});
