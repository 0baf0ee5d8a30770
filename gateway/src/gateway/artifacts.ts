import { signServiceToken } from '@millwright/crds';
import { gitReplica } from '../shared/git-replicas.ts';
import type { ProjectKey } from '../shared/project-key.ts';
import { Problem } from './problem.ts';

/** Contents of artifacts on the git hosts. */
export interface ArtifactSource {
  /** Opens the content. Throws a Problem when there is none, or nobody can tell now. */
  open(key: ProjectKey, digest: string): Promise<{ bytes: number; body: ReadableStream }>;
}

export interface ArtifactSourceOptions {
  gitUrls: readonly string[];
  /** `MILLWRIGHT_ARTIFACT_KEY` */
  key: string | undefined;
}

const TOKEN_SECONDS = 60;
/** Until the answer begins. */
const TIMEOUT_MS = 15_000;

export function createArtifactSource({ gitUrls, key }: ArtifactSourceOptions): ArtifactSource {
  const ask = async ({ namespace, project }: ProjectKey, digest: string, token: string): Promise<Response> => {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), TIMEOUT_MS);
    try {
      return await fetch(`${gitReplica(gitUrls, namespace, project)}/${namespace}/${project}.git/artifacts/${digest}`, {
        headers: { authorization: `Bearer ${token}` },
        signal: late.signal,
      });
    } catch (error) {
      throw new Problem(503, 'The git host, which keeps artifacts, cannot be reached.', {
        remedy: 'Try again in a few seconds.',
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    open: async (project, digest) => {
      if (key === undefined)
        throw new Problem(501, 'This installation does not hand out artifacts.', {
          remedy: 'Whoever runs Millwright has to add artifactKey to the Secret of the signing key.',
        });
      const now = Math.floor(Date.now() / 1000);
      const token = signServiceToken({ aud: ['service'], sub: 'gateway', iat: now, exp: now + TOKEN_SECONDS }, key);
      const answer = await ask(project, digest, token);
      if (answer.status === 200 && answer.body)
        return { bytes: Number(answer.headers.get('content-length')), body: answer.body };
      await answer.body?.cancel();
      if (answer.status === 404)
        throw new Problem(404, 'The content of this artifact is not kept any more.', {
          remedy: 'Contents go after the retention of the git host; name, digest and size stay in the history.',
        });
      if (answer.status === 401)
        throw new Problem(500, 'The gateway is misconfigured: the git host does not take its artifact key.', {
          remedy: 'Whoever runs Millwright has to give both the same MILLWRIGHT_ARTIFACT_KEY.',
        });
      throw new Problem(503, `The git host answers ${answer.status}.`, { remedy: 'Try again in a few seconds.' });
    },
  };
}
