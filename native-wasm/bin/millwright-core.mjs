#!/usr/bin/env node
// Older ones cannot run TypeScript, and would only say that its syntax is wrong.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `millwright-core needs Node 24 or later, and this is ${process.version}: in a clone, npx brings it along`,
  );
  process.exit(2);
}
const { main } = await import('../src/cli/main.ts');
process.exitCode = await main(process.argv.slice(2));
