import { createContext } from '../context.ts';
import { ensurePackages } from '../debian.ts';

/** Makes sure that there is a browser: Debian's Chromium, at /usr/bin/chromium. */
export default async function setup(): Promise<void> {
  await ensurePackages(createContext(), ['chromium']);
}
