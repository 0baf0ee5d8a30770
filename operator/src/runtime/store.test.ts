import { createLogger } from '@millwright/otel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOf } from './resource.ts';
import { type ChangeCause, Store } from './store.ts';
import { fakeClock } from './testing/fake-clock.ts';
import { type Widget, widget } from './testing/widgets.ts';

const key = 'default/a';

describe('Store', () => {
  it('keeps the newest version, whichever comes last', () => {
    const store = new Store<Widget>();
    expect(store.upsert(widget('a', 9), 'watch')).toBe(true);
    expect(store.upsert(widget('a', 10), 'watch')).toBe(true);
    expect(store.upsert(widget('a', 9), 'watch')).toBe(false);
    expect(store.upsert(widget('a', 10), 'watch')).toBe(false);
    expect(store.get(key)?.metadata.resourceVersion).toBe('10');
  });

  it('tells of a write of our own once: the copy that the watch brings is skipped', () => {
    const store = new Store<Widget>();
    const causes: ChangeCause[] = [];
    store.onChange((_old, _next, cause) => causes.push(cause));
    store.upsert(widget('a', 1), 'list');
    store.applyWrite(widget('a', 5, 'blue'));
    store.upsert(widget('a', 3, 'green'), 'watch');
    store.upsert(widget('a', 5, 'blue'), 'watch');
    expect(causes).toEqual(['list', 'write']);
    expect(store.get(key)?.spec.colour).toBe('blue');
  });

  it('keeps nothing that the selector of its watch would not bring, and loses what has left it', () => {
    const store = new Store<Widget>({ selects: ({ spec }) => spec.colour !== 'green' });
    store.applyWrite(widget('a', 1, 'green'));
    expect(store.has(key)).toBe(false);
    store.applyWrite(widget('a', 2, 'blue'));
    expect(store.has(key)).toBe(true);
    store.applyWrite(widget('a', 3, 'green'));
    expect(store.has(key)).toBe(false);
    store.upsert(widget('a', 2, 'blue'), 'watch');
    expect(store.has(key)).toBe(false);
    store.upsert(widget('a', 4, 'blue'), 'watch');
    expect(store.has(key)).toBe(true);
  });

  it('is not fooled by an older event after a deletion, but takes a successor of the same name', () => {
    const store = new Store<Widget>();
    store.upsert(widget('a', 5), 'watch');
    expect(store.remove(key, '7', 'watch')).toBe(true);
    expect(store.upsert(widget('a', 6), 'write')).toBe(false);
    expect(store.has(key)).toBe(false);
    expect(store.upsert(widget('a', 8), 'watch')).toBe(true);
    expect(store.remove(key, '7', 'watch')).toBe(false);
    expect(store.has(key)).toBe(true);
  });

  it('remembers deletions of objects it never saw', () => {
    const store = new Store<Widget>();
    expect(store.remove(key, '7', 'watch')).toBe(false);
    expect(store.upsert(widget('a', 6), 'write')).toBe(false);
  });

  it('forgets deletions after two minutes, so that they do not fill the memory', () => {
    const clock = fakeClock();
    const store = new Store<Widget>({ clock });
    store.remove(key, '7', 'watch');
    clock.freeze(121_000);
    store.remove('default/other', '8', 'watch');
    expect(store.upsert(widget('a', 6), 'watch')).toBe(true);
  });

  it('a list removes what it does not contain, except what is newer than the list', () => {
    const store = new Store<Widget>();
    const deleted: (string | undefined)[] = [];
    store.upsert(widget('kept', 1), 'list');
    store.upsert(widget('gone', 2), 'list');
    store.applyWrite(widget('created-meanwhile', 12));
    store.onChange((old, next) => {
      if (next === undefined) deleted.push(old?.metadata.name);
    });
    store.removeUnlisted(new Set(['default/kept']), '10');
    expect(deleted).toEqual(['gone']);
    expect(store.list().map((object) => object.metadata.name)).toEqual(['kept', 'created-meanwhile']);
  });

  it('finds objects by index, also after they have moved or gone', () => {
    const store = new Store<Widget, 'colour' | 'letters'>({
      indexes: {
        colour: (object) => object.spec.colour,
        letters: (object) => (object.spec.colour === 'none' ? undefined : [...new Set(object.spec.colour)]),
      },
    });
    store.upsert(widget('a', 1, 'red'), 'list');
    store.upsert(widget('b', 2, 'red'), 'list');
    expect(store.keysBy('colour', 'red')).toEqual(['default/a', 'default/b']);
    store.upsert(widget('a', 3, 'blue'), 'watch');
    expect(store.by('colour', 'red').map(keyOf)).toEqual(['default/b']);
    expect(store.by('letters', 'e').map(keyOf).sort()).toEqual(['default/a', 'default/b']);
    expect(store.keysBy('letters', 'l')).toEqual(['default/a']);
    store.upsert(widget('a', 4, 'none'), 'watch');
    expect(store.keysBy('letters', 'l')).toEqual([]);
    store.remove('default/b', '5', 'watch');
    expect(store.by('colour', 'red')).toEqual([]);
  });

  it('trims objects before it keeps them', () => {
    const store = new Store<Widget>({ transform: (object) => ({ ...object, spec: { colour: '' } }) });
    store.upsert(widget('a', 1, 'red'), 'list');
    expect(store.get(key)?.spec.colour).toBe('');
  });

  it('a handler or index that throws costs an error in the log and nothing else', () => {
    const lines: string[] = [];
    const store = new Store<Widget, 'bad'>({
      logger: createLogger({ write: (line) => lines.push(line) }),
      indexes: {
        bad: () => {
          throw new Error('faulty index');
        },
      },
    });
    const heard: string[] = [];
    store.onChange(() => {
      throw new Error('faulty handler');
    });
    const stop = store.onChange((_old, next) => heard.push(next?.metadata.resourceVersion ?? ''));
    store.upsert(widget('a', 1), 'list');
    stop();
    store.upsert(widget('a', 2), 'list');
    expect(heard).toEqual(['1']);
    expect(lines.join('')).toContain('faulty index');
    expect(lines.join('')).toContain('faulty handler');
  });

  it('ends in the same state whatever order, duplicates and replays events come in', () => {
    const names = ['a', 'b', 'c'];
    const change = fc.record({
      name: fc.constantFrom(...names),
      deleted: fc.boolean(),
      colour: fc.constantFrom('red', 'blue'),
    });
    const scenario = fc.array(change, { minLength: 1, maxLength: 25 }).chain((changes) => {
      const events = changes.map((entry, index) => ({ ...entry, version: String(index + 1) }));
      return fc.record({
        events: fc.constant(events),
        delivered: fc
          .array(fc.constantFrom(...events), { maxLength: 25 })
          .chain((extra) => fc.shuffledSubarray([...events, ...extra], { minLength: events.length + extra.length })),
      });
    });
    const deliver = (
      store: Store<Widget, 'colour'>,
      event: { name: string; deleted: boolean; colour: string; version: string },
    ) => {
      if (event.deleted) store.remove(`default/${event.name}`, event.version, 'watch');
      else store.upsert(widget(event.name, event.version, event.colour), 'watch');
    };
    fc.assert(
      fc.property(scenario, ({ events, delivered }) => {
        const make = () => new Store<Widget, 'colour'>({ indexes: { colour: (object) => object.spec.colour } });
        const [ordered, shuffled] = [make(), make()];
        const mirror = new Map<string, Widget>();
        shuffled.onChange((old, next) => {
          const name = keyOf((next ?? old) as Widget);
          // What handlers hear of is a history without gaps: each change starts where the last one ended.
          expect(mirror.get(name)).toBe(old);
          if (next === undefined) mirror.delete(name);
          else mirror.set(name, next);
        });
        for (const event of events) deliver(ordered, event);
        for (const event of delivered) deliver(shuffled, event);
        const state = (store: Store<Widget, 'colour'>) => store.list().sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
        expect(state(shuffled)).toEqual(state(ordered));
        expect(new Set(mirror.values())).toEqual(new Set(shuffled.values()));
        for (const colour of ['red', 'blue']) {
          expect(shuffled.keysBy('colour', colour).sort()).toEqual(ordered.keysBy('colour', colour).sort());
        }
      }),
    );
  });
});
