/**
 * One fixed set of addresses and ports: the platform exists once per machine. Whatever pods must reach listens on the bridge's
 * gateway, which the host reaches as well, so that one URL is right on both sides; the rest listens on loopback.
 */
export const addresses = {
  loopback: '127.0.0.1',
  /** The host's end of the CNI bridge. */
  gateway: '10.77.0.1',
  bridge: 'millwright0',
  podCidr: '10.77.0.0/16',
  serviceCidr: '10.78.0.0/16',
  /** First address of the service range: what `kubernetes.default.svc` resolves to. */
  kubernetesService: '10.78.0.1',
  clusterDomain: 'cluster.local',
  nodeName: 'millwright',
} as const;

/** Ports below the range that Linux gives to outgoing connections (32768 and up). */
export const ports = {
  etcd: 23790,
  etcdPeer: 23800,
  apiserver: 6443,
  controllerManager: 10257,
  scheduler: 10259,
  kubelet: 10250,
  kubeletHealth: 10248,
  kubeProxyHealth: 10256,
  kubeProxyMetrics: 10249,
  dns: 53,
  dnsReady: 18053,
  amqp: 5672,
  rabbitManagement: 15672,
  rabbitDistribution: 25672,
  epmd: 24369,
  postgres: 25432,
  /** PostgREST itself, at `/`. */
  postgrest: 23000,
  /** The proxy before PostgREST that answers under `/rest/v1`. */
  rest: 25421,
  jaegerQuery: 16686,
  otlpHttp: 4318,
  otlpGrpc: 4317,
  jaegerAdmin: 14269,
  git: 9418,
} as const;

export type Addresses = typeof addresses;
export type Ports = typeof ports;
