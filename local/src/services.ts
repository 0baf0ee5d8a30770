import type { Service } from './service.ts';
import { apiserver } from './services/apiserver.ts';
import { containerd } from './services/containerd.ts';
import { controllerManager, scheduler } from './services/controllers.ts';
import { coredns } from './services/coredns.ts';
import { etcd } from './services/etcd.ts';
import { gitDaemon } from './services/git-daemon.ts';
import { jaeger } from './services/jaeger.ts';
import { kubeProxy } from './services/kube-proxy.ts';
import { kubelet } from './services/kubelet.ts';
import { postgres } from './services/postgres.ts';
import { postgrest, rest } from './services/postgrest.ts';
import { rabbitmq } from './services/rabbitmq.ts';

/** Everything that runs on the local platform, and the only place that knows all of it. */
export const services: readonly Service[] = [
  etcd,
  apiserver,
  controllerManager,
  scheduler,
  containerd,
  kubelet,
  kubeProxy,
  coredns,
  rabbitmq,
  postgres,
  postgrest,
  rest,
  jaeger,
  gitDaemon,
];

/** Go tools that people and tests use, whatever the services need. */
export const commandLineTools = ['kubectl', 'helm', 'kubeconform'] as const;
