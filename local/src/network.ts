import { writeFileSync } from 'node:fs';
import { CommandError, run } from './process/run.ts';
import type { Context } from './service.ts';

/** The Debian packages with the commands used here. */
export const networkPackages = ['iproute2', 'iptables'];

/**
 * Makes the bridge before the first pod does, because the services listen on its address, and lets pods out through the host.
 * Idempotent.
 */
export async function networkUp(ctx: Context): Promise<void> {
  const { bridge, gateway, podCidr } = ctx.addresses;
  const prefix = podCidr.split('/')[1];
  const known = await run('ip', ['-json', 'address', 'show']);
  const links = JSON.parse(known) as { ifname: string; addr_info: { local?: string }[] }[];
  const holder = links.find((link) => link.addr_info.some(({ local }) => local === gateway));
  if (holder && holder.ifname !== bridge) {
    throw new Error(`${gateway} belongs to ${holder.ifname} on this machine; the platform needs ${podCidr} for itself`);
  }
  if (!links.some(({ ifname }) => ifname === bridge)) await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
  await run('ip', ['address', 'replace', `${gateway}/${prefix}`, 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  for (const { table, chain, rule } of rules(ctx)) {
    if (!(await holds(table, chain, rule))) await run('iptables', ['-w', '-t', table, '-A', chain, ...rule]);
  }
}

/** Takes back what `networkUp` made, apart from the kernel's forwarding, which others may have come to rely on. */
export async function networkDown(ctx: Context): Promise<void> {
  for (const { table, chain, rule } of rules(ctx)) {
    if (await holds(table, chain, rule)) await run('iptables', ['-w', '-t', table, '-D', chain, ...rule]);
  }
  const links = JSON.parse(await run('ip', ['-json', 'link', 'show'])) as { ifname: string }[];
  if (links.some(({ ifname }) => ifname === ctx.addresses.bridge))
    await run('ip', ['link', 'delete', ctx.addresses.bridge]);
}

/** One rule for all pods instead of CNI's chain for each: a pod's start needs no iptables at all. */
function rules(ctx: Context) {
  const { bridge, podCidr } = ctx.addresses;
  const comment = ['-m', 'comment', '--comment', 'millwright local platform'];
  return [
    { table: 'nat', chain: 'POSTROUTING', rule: ['-s', podCidr, '!', '-d', podCidr, ...comment, '-j', 'MASQUERADE'] },
    // Where another program has set the policy to DROP, as Docker does.
    { table: 'filter', chain: 'FORWARD', rule: ['-i', bridge, ...comment, '-j', 'ACCEPT'] },
    { table: 'filter', chain: 'FORWARD', rule: ['-o', bridge, ...comment, '-j', 'ACCEPT'] },
  ];
}

async function holds(table: string, chain: string, rule: readonly string[]): Promise<boolean> {
  try {
    await run('iptables', ['-w', '-t', table, '-C', chain, ...rule]);
    return true;
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === 1) return false;
    throw error;
  }
}
