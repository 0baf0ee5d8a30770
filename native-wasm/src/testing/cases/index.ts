import type { Case } from './case.ts';
import { diffCases } from './diff.ts';
import { editsCases } from './edits.ts';
import { errorCases } from './errors.ts';
import { ignoreCases } from './ignore.ts';
import { patchCases } from './patch.ts';
import { pathsCases } from './paths.ts';
import { searchCases } from './search.ts';
import { secretsCases } from './secrets.ts';
import { treesCases } from './trees.ts';
import { weakeningCases } from './weakening.ts';

/** What the operations answer in Node and in a browser alike. */
export const cases: readonly Case[] = [
  ...diffCases,
  ...treesCases,
  ...editsCases,
  ...patchCases,
  ...weakeningCases,
  ...pathsCases,
  ...secretsCases,
  ...searchCases,
  ...ignoreCases,
  ...errorCases,
];
