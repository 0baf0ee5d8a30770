/** Makes the `dist` folders that the Containerfiles copy from: `npm run bundle`, before an image is built with whatever builds images. */
import { createContext } from '../context.ts';
import { bundleProcesses } from './bundle.ts';
import { buildWorkspaceServer } from './workspace-server.ts';

const usage = `Usage: npm run bundle [-- ARCHITECTURE…]

  Bundles the processes into <folder>/dist and compiles the exec server for the machine's architecture, or for those named: amd64, arm64.
`;

const args = process.argv.slice(2);
if (args.some((argument) => argument.startsWith('-'))) {
  console.log(usage);
  process.exit(args.includes('--help') || args.includes('-h') ? 0 : 2);
}
const ctx = createContext();
try {
  await ctx.step('Bundling the processes', () => bundleProcesses(ctx.repository), 3);
  if (args.length === 0) await buildWorkspaceServer(ctx);
  for (const architecture of args) await buildWorkspaceServer(ctx, architecture);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
