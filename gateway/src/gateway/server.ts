import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Logger, Metrics, Telemetry } from '@millwright/otel';
import { createStore } from '@millwright/supabase';
import { addHealth } from '../shared/health.ts';
import type { Kube } from '../shared/kube.ts';
import { observeHttp } from '../shared/observe-http.ts';
import { addApi, createApp, type Environment } from './api.ts';
import { createArtifactSource } from './artifacts.ts';
import { createCluster } from './cluster.ts';
import type { GatewayConfig } from './config.ts';
import { historyOf } from './history.ts';
import { createAuthenticate } from './identity.ts';
import { addGitProxy } from './proxy.ts';

/** A revoked API key works for so much longer. */
const KEY_FRESH_MS = 10_000;
const DATABASE_TIMEOUT_MS = 10_000;

export interface Gateway {
  app: OpenAPIHono<Environment>;
  close(): Promise<void>;
}

/** Wires the gateway together. */
export function createGateway(
  config: GatewayConfig,
  parts: { kube: Kube; log: Logger; metrics: Metrics; telemetry: Telemetry },
): Gateway {
  const { log, metrics } = parts;
  const url = config.MILLWRIGHT_SUPABASE_URL;
  const key = config.MILLWRIGHT_SUPABASE_KEY;
  const service = createStore({ url, key, timeoutMs: DATABASE_TIMEOUT_MS, retry: false });
  const app = createApp(log);
  observeHttp(app, metrics, parts.telemetry);
  // Ready without the database: sandboxes at work need git and artifacts, which do not ask it.
  addHealth(app, { metrics, missing: () => [] });
  addApi(app, {
    authenticate: createAuthenticate({
      jwtSecret: config.MILLWRIGHT_SUPABASE_JWT_SECRET,
      jwksUrl: config.MILLWRIGHT_SUPABASE_JWKS_URL,
      keys: service,
      keyFreshMs: KEY_FRESH_MS,
    }),
    historyOf: (caller) => historyOf(caller, { url, key, service }),
    cluster: createCluster(parts.kube, sleep),
    artifacts: createArtifactSource({ gitUrls: config.MILLWRIGHT_GIT_URL, key: config.MILLWRIGHT_ARTIFACT_KEY }),
    audit: (entry) => service.audit(entry),
    log,
  });
  const closeProxy = addGitProxy(app, { gitUrls: config.MILLWRIGHT_GIT_URL, log });
  return { app, close: closeProxy };
}
