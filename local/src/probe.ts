/**
 * Asks once over HTTP and returns the body; for `ready` functions.
 *
 * @throws Error that says what came instead of a 2xx within 2 s
 */
export async function probeHttp(url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { headers, signal: AbortSignal.timeout(2000) });
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(`${url}: ${reason instanceof Error ? reason.message : String(reason)}`);
  }
  const body = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${body.slice(0, 300)}`);
  return body;
}
