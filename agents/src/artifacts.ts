/** Uploads to the gateway, by content digest. */
import { createHash } from 'node:crypto';
import type { ArtifactRef } from '@millwright/crds';
import { retrying } from './retry.ts';

export interface ArtifactStore {
  /** Base URL: contents are put at `<url>/<digest>`. */
  url: string;
  /** Bearer token of the attempt. */
  token: string;
  /** Trace context of the upload. */
  traceparent: string;
}

/** The gateway did not take the content. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
}

/**
 * Stores a content under its SHA-256 digest; storing it again is harmless.
 * @throws UploadError when it is refused, or cannot be sent until `signal` is aborted
 */
export async function uploadArtifact(
  store: ArtifactStore,
  artifact: { name: string; mediaType: string; content: Buffer },
  signal: AbortSignal,
): Promise<ArtifactRef> {
  const { name, mediaType, content } = artifact;
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const put = async (): Promise<{ status: number; problem: string }> => {
    try {
      const answer = await fetch(`${store.url}/${digest}`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${store.token}`,
          'content-type': mediaType,
          traceparent: store.traceparent,
        },
        body: new Uint8Array(content),
        signal,
      });
      const text = answer.ok ? '' : (await answer.text()).slice(0, 200);
      if (answer.ok) await answer.body?.cancel();
      return { status: answer.status, problem: `${answer.status} ${text}` };
    } catch (error) {
      return { status: 0, problem: describe(error) };
    }
  };
  const temporary = (status: number) => status === 0 || status === 429 || status >= 500;
  const answer = await retrying(put, ({ status }) => !temporary(status), { attempts: 6, baseMs: 1_000, signal }).catch(
    (error: unknown) => ({ status: 0, problem: describe(error) }),
  );
  if (answer.status < 200 || answer.status >= 300) throw new UploadError(`${name} is not stored: ${answer.problem}`);
  return { name, digest, mediaType, bytes: content.length };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
