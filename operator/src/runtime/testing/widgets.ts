import { defineResource, type KubeObject } from '../resource.ts';

/** A resource for tests. */
export interface Widget extends KubeObject {
  spec: { colour: string };
  status?: { phase?: string; note?: string };
}

export const widgets = defineResource<Widget>({
  group: 'test.millwright.dev',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
});

/** A widget as the API server would return it. */
export function widget(name: string, version: number | string, colour = 'red'): Widget {
  return {
    apiVersion: 'test.millwright.dev/v1',
    kind: 'Widget',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: String(version),
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { colour },
  };
}
