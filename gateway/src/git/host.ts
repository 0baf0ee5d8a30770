import { join } from 'node:path';
import type { ProbeReply } from '@millwright/crds';
import type { Logger, Metrics, Telemetry } from '@millwright/otel';
import type { Hono } from 'hono';
import { createFence } from '../fence/fence.ts';
import { addHealth } from '../shared/health.ts';
import { observeHttp } from '../shared/observe-http.ts';
import type { ProjectKey } from '../shared/project-key.ts';
import { cachedProjects, type ProjectLookup, withForgeCredentials } from '../shared/projects.ts';
import { fairSemaphore } from '../shared/semaphore.ts';
import { authenticate, createAllowance, createRevocations, type Revocations } from './access.ts';
import { createApp } from './app.ts';
import { addArtifactRoutes } from './artifact-routes.ts';
import { createArtifactStore } from './artifacts.ts';
import type { IsOver } from './attempts.ts';
import { createBundles } from './bundles.ts';
import type { GitConfig } from './config.ts';
import { addGitRoutes } from './git-routes.ts';
import { type MaintenanceOptions, repeatMaintenance } from './maintenance.ts';
import { createMirrors } from './mirrors.ts';
import { probeRepository } from './probe.ts';

/** An attempt stores logs and reports; this many of the largest are plenty. */
const ARTIFACTS_PER_ATTEMPT = 8;
const GIT_TIMEOUT_MS = 10 * 60_000;
const PROJECT_FRESH_MS = 5_000;

export interface GitHost {
  app: Hono;
  revocations: Revocations;
  /** Whether the repository of a Project can be read now. Never throws. */
  probe(key: ProjectKey): Promise<ProbeReply>;
  maintenance: MaintenanceOptions;
  /** Starts what runs by the clock; returns what stops it. */
  repeat(intervalMs: number): () => Promise<void>;
  /** Ends its threads. */
  close(): Promise<void>;
}

/** Wires the git host together. `missing` names what the process still waits for. */
export function createGitHost(
  config: GitConfig,
  parts: {
    lookup: ProjectLookup;
    isOver: IsOver;
    metrics: Metrics;
    log: Logger;
    telemetry: Telemetry;
    missing: () => string[];
    /** How long a Project is taken for what it was when it was read, in milliseconds: 5 s by default. */
    projectFreshMs?: number;
  },
): GitHost {
  const { metrics, log } = parts;
  const fetches = metrics.histogram('millwright_git_fetch_seconds');
  const operations = metrics.counter('millwright_git_operations_total');
  const expired = metrics.counter('millwright_git_expired_total');
  const stored = metrics.counter('millwright_artifact_bytes_total');
  const withCredentials = (projects: ProjectLookup) =>
    withForgeCredentials(projects, config.MILLWRIGHT_FORGE_CREDENTIALS_FILE);
  const lookup = withCredentials(cachedProjects(parts.lookup, parts.projectFreshMs ?? PROJECT_FRESH_MS));
  const bundles = createBundles(config.MILLWRIGHT_BUNDLE_DIR);
  const mirrors = createMirrors({
    folder: join(config.MILLWRIGHT_DATA_DIR, 'mirrors'),
    bundles,
    lookup,
    fetchWindowMs: config.MILLWRIGHT_FETCH_WINDOW_SECONDS * 1000,
    fetchTimeoutMs: config.MILLWRIGHT_FETCH_TIMEOUT_SECONDS * 1000,
    log,
    onFetch: (outcome, seconds) => fetches.observe({ outcome }, seconds),
  });
  const artifacts = createArtifactStore(
    join(config.MILLWRIGHT_DATA_DIR, 'artifacts'),
    config.MILLWRIGHT_MAX_ARTIFACT_BYTES,
  );
  const revocations = createRevocations();
  const fence = createFence();
  const access = { signingKey: config.MILLWRIGHT_SIGNING_KEY, revocations, isOver: parts.isOver };

  const app = createApp(log);
  observeHttp(app, metrics, parts.telemetry);
  addHealth(app, { metrics, missing: parts.missing });
  addArtifactRoutes(app, {
    store: artifacts,
    authenticate: (authorization) => authenticate(authorization, 'artifacts', access),
    allow: createAllowance(ARTIFACTS_PER_ATTEMPT * config.MILLWRIGHT_MAX_ARTIFACT_BYTES),
    maxBytes: config.MILLWRIGHT_MAX_ARTIFACT_BYTES,
    readerKey: config.MILLWRIGHT_ARTIFACT_KEY,
    onStored: (bytes) => stored.inc(bytes),
  });
  addGitRoutes(app, {
    mirrors,
    bundles,
    fence,
    authenticate: (authorization) => authenticate(authorization, 'git', access),
    limit: fairSemaphore(config.MILLWRIGHT_GIT_CONCURRENCY, Math.ceil(config.MILLWRIGHT_GIT_CONCURRENCY / 2)),
    allow: createAllowance(config.MILLWRIGHT_MAX_PUSH_BYTES),
    maxPushBytes: config.MILLWRIGHT_MAX_PUSH_BYTES,
    timeoutMs: GIT_TIMEOUT_MS,
    log,
    onOperation: (operation, outcome) => operations.inc({ operation, outcome }),
  });
  const maintenance: MaintenanceOptions = {
    mirrors,
    bundles,
    artifacts,
    retentionMs: config.MILLWRIGHT_ATTEMPT_RETENTION_DAYS * 86_400_000,
    log,
    onExpired: (kind, count) => expired.inc({ kind }, count),
  };
  return {
    app,
    revocations,
    // Not from the cache: a probe is asked for because the Project has just changed.
    probe: (key) => probeRepository(key, withCredentials(parts.lookup), fence, log),
    maintenance,
    repeat: (intervalMs) => repeatMaintenance(maintenance, intervalMs),
    close: () => fence.close(),
  };
}
