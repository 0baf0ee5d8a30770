import { defineResource, type KubeObject } from '../resource.ts';

export const namespaces = defineResource<KubeObject>({
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
});

export const definitions = defineResource<
  KubeObject & { spec: unknown; status?: { conditions?: { type: string; status: string }[] } }
>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
});
