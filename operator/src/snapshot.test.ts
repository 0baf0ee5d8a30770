import { eventMessage, MAX_MESSAGE_BYTES, type MillwrightResource, resourceDefinitions } from '@millwright/crds';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { snapshotOf } from './snapshot.ts';
import { aTask, at, aWorkflow } from './testing/objects.ts';

interface Schema {
  type?: string;
  enum?: string[];
  format?: string;
  maxLength?: number;
  maxItems?: number;
  maxProperties?: number;
  maximum?: number;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
}

const schemaOf = (schema: z.ZodType): Schema =>
  z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as Schema;

/** Characters of one to six bytes in JSON. */
const characters = fc.constantFrom('a', 'é', '漢', '😀', '"', '\u0001');

/** What the API server lets through, patterns apart, mostly near its bounds. */
function anything(schema: Schema): fc.Arbitrary<unknown> {
  const near = (max: number) => fc.oneof(fc.constant(max), fc.nat(max));
  const many = (max: number, item: Schema) =>
    fc.tuple(near(max), anything(item)).map(([count, value]) => Array.from({ length: count }, () => value));
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.format === 'date-time') return fc.constant(at(0));
  if (schema.type === 'string')
    return fc
      .tuple(near(schema.maxLength ?? 71), characters)
      .map(([length, character]) => character.repeat(Math.floor(length / character.length)));
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'integer' || schema.type === 'number') return fc.constant(schema.maximum ?? 2 ** 53 - 1);
  if (schema.type === 'array') return many(schema.maxItems ?? 64, schema.items ?? {});
  if (schema.additionalProperties)
    return many(schema.maxProperties ?? 64, schema.additionalProperties).map((values) =>
      Object.fromEntries(values.map((value, index) => [`${index}`.padStart(63, '\u0001'), value])),
    );
  const fields = Object.entries(schema.properties ?? {}).map(([name, child]) => [name, anything(child)]);
  return fc.record(Object.fromEntries(fields));
}

const longName = 'n'.repeat(253);

describe('a snapshot of any object fits a message', () => {
  test.each(resourceDefinitions.map((definition) => [definition.kind, definition] as const))(
    '%s',
    (kind, definition) => {
      const spec = anything(schemaOf(definition.spec));
      const status = anything(schemaOf(definition.status));
      fc.assert(
        fc.property(spec, status, (anySpec, anyStatus) => {
          const { metadata } = aTask({}, undefined, { name: longName, uid: 'u'.repeat(36) });
          const object = { kind, metadata, spec: anySpec, status: anyStatus } as unknown as MillwrightResource;
          const event = snapshotOf(object, at(0), true);
          expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
          // What the history lists by.
          const { phase } = anyStatus as { phase?: string };
          expect(event.status.phase).toBe(phase);
        }),
        { numRuns: 100 },
      );
    },
  );
});

test('what fits is whole', () => {
  const task = aTask({ command: ['sh', '-c', 'true'], acceptance: ['true'], params: { key: 'value' } });
  const { spec } = snapshotOf(task, at(0), false);
  const { command: _, params: __, ...rest } = task.spec;
  expect(spec).toEqual({ ...rest, command: ['sh -c true'], params: ['key'] });
});

test('the largest params a Workflow may have are cut, and nothing is cut in the middle of a character', () => {
  const params = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`p${i}`, `x${'😀'.repeat(2047)}`]));
  const event = snapshotOf(aWorkflow({ params }), at(0), false);
  expect(eventMessage.safeParse(event).success).toBe(true);
  const text = JSON.stringify(event);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  expect(text).not.toMatch(/\\ud[89a-f]/);
  expect(Object.keys((event.spec as { params: object }).params)).toHaveLength(64);
});
