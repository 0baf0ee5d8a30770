import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const debianPackage = 'postgresql-15-pgtap';
const script = 'usr/share/postgresql/15/extension/pgtap.sql';

/**
 * pgTAP's functions as SQL. The Debian package is fetched and unpacked into the cache, not installed: it would bring a whole server
 * with it, and its functions work on any.
 *
 * @throws Error with the remedy where there is no Debian to ask
 */
export async function pgtapSource(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millwright', 'pgtap');
  const cached = await readFile(join(cache, script), 'utf8').catch(() => undefined);
  if (cached !== undefined) return cached;
  const folder = await mkdtemp(join(tmpdir(), 'pgtap-'));
  try {
    await download(folder);
    const [file] = (await readdir(folder)).filter((name) => name.endsWith('.deb'));
    if (!file) throw new Error('apt-get left no package');
    const unpacked = `${cache}.${process.pid}`;
    await mkdir(unpacked, { recursive: true });
    await run('dpkg-deb', ['--extract', join(folder, file), unpacked]);
    await rm(cache, { recursive: true, force: true });
    await rename(unpacked, cache);
    return await readFile(join(cache, script), 'utf8');
  } catch (error) {
    throw new Error(`pgTAP is not there: on Debian 12, check that \`apt-get download ${debianPackage}\` works`, {
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function download(folder: string): Promise<void> {
  // apt's own sandbox user could not write into a folder of root's.
  const args = ['download', '-o', 'APT::Sandbox::User=root', debianPackage];
  try {
    await run('apt-get', args, { cwd: folder });
  } catch {
    await run('apt-get', ['update', '-q']);
    await run('apt-get', args, { cwd: folder });
  }
}
