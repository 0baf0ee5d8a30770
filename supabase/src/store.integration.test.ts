import { type TestDatabase, testDatabase } from '@millwright/local/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidCursorError, StoreError } from './index.ts';
import { migrate } from './migrate.ts';
import { createStore, type Store } from './store.ts';
import { at, lifeOfTask, logLine, snapshot } from './testing/messages.ts';

let database: TestDatabase;
let store: Store;

const tables = ['projects', 'agent_pools', 'workflows', 'tasks', 'attempts', 'agents', 'artifacts', 'events'];
const everything = async () =>
  Object.fromEntries(
    await Promise.all(
      tables.map(async (table) => [table, await database.sql(`select * from public.${table} order by ${table}::text`)]),
    ),
  );

beforeAll(async () => {
  database = await testDatabase();
  store = createStore({ url: database.url, key: database.serviceKey });
});
afterAll(() => database?.dispose());
beforeEach(async () => {
  await database.sql(`truncate ${tables.map((table) => `public.${table}`).join(', ')}`);
});

describe('recording', () => {
  it('keeps the newest snapshot, whatever arrives later', async () => {
    await store.record([snapshot('Workflow', 'w', 10, { phase: 'Running', progress: '1/2' })]);
    await store.record([snapshot('Workflow', 'w', 12, { phase: 'Succeeded', progress: '2/2', finishedAt: at(12) })]);
    await store.record([snapshot('Workflow', 'w', 11, { phase: 'Running', progress: '2/2' })]);
    expect(await store.show('workflows', 'w')).toMatchObject({
      phase: 'Succeeded',
      progress: '2/2',
      updated_at: expect.stringContaining('00:00:12'),
    });
  });

  it('compares versions as numbers', async () => {
    await store.record([snapshot('Project', 'p', 9, { a: 9 }), snapshot('Project', 'p', 10, { a: 10 })]);
    await store.record([snapshot('Project', 'p', 9, { a: 9 })]);
    expect(await store.show('projects', 'p')).toMatchObject({ status: { a: 10 } });
  });

  it('has the same result for any order, batches and repetitions of the same messages', async () => {
    const messages = [...lifeOfTask('t1'), ...lifeOfTask('t2')];
    await store.record(messages);
    const expected = await everything();
    expect(expected.attempts).toMatchObject([
      { task_uid: 't1', attempt: 1, outcome: 'Failed', class: 'agent', pool: 'runners', pod: 'pod-1' },
      { task_uid: 't1', attempt: 2, outcome: 'Succeeded', pool: 'runners', pod: 'pod-2' },
      { task_uid: 't2', attempt: 1 },
      { task_uid: 't2', attempt: 2 },
    ]);
    const indices = messages.map((_, index) => index);
    const orders = fc
      .tuple(
        fc.shuffledSubarray(indices, { minLength: indices.length }),
        fc.array(fc.constantFrom(...indices), { maxLength: 8 }),
      )
      .map(([order, repeated]) => [...order, ...repeated].map((index) => messages[index]))
      .chain((all) =>
        fc.tuple(fc.constant(all), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })),
      );
    await fc.assert(
      fc.asyncProperty(orders, async ([all, sizes]) => {
        await database.sql(`truncate ${tables.map((table) => `public.${table}`).join(', ')}`);
        for (let from = 0, turn = 0; from < all.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          await store.record(all.slice(from, from + size).filter((message) => message !== undefined));
          from += size;
        }
        expect(await everything()).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it('is right when recorders write the same objects at once', async () => {
    const messages = Array.from({ length: 20 }, (_, index) => lifeOfTask(`t${index}`)).flat();
    await store.record(messages);
    const expected = await everything();
    await database.sql(`truncate ${tables.map((table) => `public.${table}`).join(', ')}`);
    const half = Math.floor(messages.length / 2);
    await Promise.all([
      store.record(messages.slice(0, half + 30)),
      store.record(messages.toReversed()),
      store.record(messages.slice(half - 30)),
    ]);
    expect(await everything()).toEqual(expected);
  });

  it('counts an event once by its id, also when it was published anew at another time', async () => {
    await store.record([logLine('t', 0), { ...logLine('t', 0), at: at(500) }]);
    await store.record([{ ...logLine('t', 0), at: at(900) }]);
    expect(await store.logs('t', 1)).toHaveLength(1);
  });

  it('replaces what jsonb cannot hold', async () => {
    await store.record([logLine('t', 0, 'zero\0byte, half \ud83d pair, emoji 🙂')]);
    const [line] = await store.logs('t', 1);
    expect(line?.payload.text).toBe('zero\ufffdbyte, half \ufffd pair, emoji 🙂');
  });

  it('takes all messages of a batch or none, and says that the data is at fault', async () => {
    const bad = snapshot('Workflow', 'bad', 2, { startedAt: 'yesterday-ish' });
    const failure = await store.record([snapshot('Workflow', 'good', 1), bad]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreError);
    expect(failure).toMatchObject({ kind: 'rejected' });
    expect(await store.show('workflows', 'good')).toBeUndefined();
  });

  it('says that the database is away, and goes on when it is back', async () => {
    await database.stopPostgrest();
    await expect(store.record([logLine('t', 0)])).rejects.toMatchObject({ name: 'StoreError', kind: 'unavailable' });
    await expect(store.ping()).rejects.toMatchObject({ kind: 'unavailable' });
    await database.startPostgrest();
    await store.ping();
    await store.record([logLine('t', 0)]);
    expect(await store.logs('t', 1)).toHaveLength(1);
  });

  it('is for the service only', async () => {
    const anonymous = createStore({ url: database.url, key: database.anonKey });
    await expect(anonymous.record([logLine('t', 0)])).rejects.toMatchObject({ kind: 'unavailable', code: '42501' });
  });
});

describe('pruning', () => {
  const left = async () =>
    (await database.sql<{ id: string }>('select id from events order by at')).map(({ id }) => id);

  it('deletes the oldest events first, only so many, and none that is young enough', async () => {
    const ids = Array.from({ length: 6 }, (_, index) => logLine('t', index).id);
    await store.record([...ids.map((_, index) => logLine('t', index)).toReversed(), snapshot('Workflow', 'w', 9)]);
    const before = new Date(at(4));
    expect(await store.pruneEvents(before, 3)).toBe(3);
    expect(await left()).toEqual([...ids.slice(3), 'w:9']);
    expect(await store.pruneEvents(before, 3)).toBe(1);
    expect(await left()).toEqual([...ids.slice(4), 'w:9']);
    expect(await store.pruneEvents(before, 3)).toBe(0);
    expect(await store.pruneEvents(new Date(at(10)), 3)).toBe(3);
    expect(await store.show('workflows', 'w')).toBeDefined();
  });

  it('is for the service only', async () => {
    const person = createStore({ url: database.url, key: database.anonKey });
    await expect(person.pruneEvents(new Date(), 1)).rejects.toBeInstanceOf(StoreError);
  });
});

describe('reading', () => {
  it('pages by key without a gap or a repetition, also over equal times', async () => {
    const tasks = Array.from({ length: 25 }, (_, index) =>
      snapshot(
        'AgentTask',
        `t${String(index).padStart(2, '0')}`,
        index + 1,
        {},
        { createdAt: at(Math.floor(index / 4)) },
      ),
    );
    await store.record(tasks);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.list('tasks', {
        limit: 4,
        where: { namespace: 'team-a' },
        ...(cursor ? { cursor } : {}),
      });
      seen.push(...page.items.map(({ uid }) => uid));
      cursor = page.next;
    } while (cursor);
    expect(seen).toEqual(tasks.map(({ uid }) => uid).toReversed());
  });

  it('refuses a cursor that is not its own', async () => {
    for (const cursor of ['', 'x', Buffer.from('["2026-01-01T00:00:00Z\\",uid.gt.a",1]').toString('base64url')]) {
      await expect(store.list('tasks', { cursor })).rejects.toBeInstanceOf(InvalidCursorError);
    }
  });

  it('shows people the history of their organisation and no other', async () => {
    const user = '00000000-0000-4000-8000-000000000001';
    const [own] = await database.sql<{ id: string }>(`insert into organisations (name) values ('own') returning id`);
    const [foreign] = await database.sql<{ id: string }>(
      `insert into organisations (name) values ('foreign') returning id`,
    );
    await database.sql('insert into members (organisation_id, user_id, role) values ($1, $2, $3)', [
      own?.id,
      user,
      'viewer',
    ]);
    await database.sql('insert into namespaces (name, organisation_id) values ($1, $2), ($3, $4)', [
      'team-a',
      own?.id,
      'team-b',
      foreign?.id,
    ]);
    await store.record([
      snapshot('Workflow', 'mine', 1),
      snapshot('Workflow', 'theirs', 2, {}, { namespace: 'team-b' }),
      snapshot('Workflow', 'nobodys', 3, {}, { namespace: 'team-c' }),
    ]);
    const person = createStore({
      url: database.url,
      key: database.anonKey,
      accessToken: database.token({ role: 'authenticated', sub: user }),
    });
    expect((await person.list('workflows')).items.map(({ uid }) => uid)).toEqual(['mine']);
    expect(await person.show('workflows', 'theirs')).toBeUndefined();
    expect((await person.list('events')).items.map(({ subject_uid }) => subject_uid)).toEqual(['mine']);
  });
});

const digest = `sha256:${'0'.repeat(64)}`;

describe('API keys', () => {
  const organisation = async (name: string) => {
    const [row] = await database.sql<{ id: string }>('insert into organisations (name) values ($1) returning id', [
      name,
    ]);
    return row?.id ?? '';
  };

  it('identifies a key until it is revoked or expired, and stores no key', async () => {
    const organisationId = await organisation('keys');
    await database.sql(`insert into namespaces (name, organisation_id) values ('team-keys', $1)`, [organisationId]);
    const expiresAt = new Date(Date.now() + 60_000);
    const { id, key } = await store.createApiKey({ organisationId, name: 'ci', role: 'supervisor', expiresAt });
    expect(await store.identifyApiKey(key)).toEqual({
      id,
      organisationId,
      role: 'supervisor',
      namespaces: ['team-keys'],
    });
    expect(await store.identifyApiKey(`${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`)).toBeUndefined();
    expect(await store.identifyApiKey('mwk_no')).toBeUndefined();
    expect(await store.identifyApiKey(key, new Date(expiresAt.getTime() + 1))).toBeUndefined();
    expect(JSON.stringify(await database.sql('select * from api_keys'))).not.toContain(key);
    expect(await store.revokeApiKey(id)).toBe(true);
    expect(await store.revokeApiKey(id)).toBe(false);
    expect(await store.identifyApiKey(key)).toBeUndefined();
  });

  it('read what is of their organisation, page by page, until they are revoked', async () => {
    const organisationId = await organisation('reading');
    await database.sql(`insert into namespaces (name, organisation_id) values ('team-reading', $1)`, [organisationId]);
    const own = { namespace: 'team-reading' };
    await store.record([
      ...Array.from({ length: 5 }, (_, i) =>
        snapshot('Workflow', `w${i}`, i + 1, { phase: i % 2 ? 'Running' : 'Failed' }, own),
      ),
      snapshot('Workflow', 'foreign', 9, {}, { namespace: 'team-b' }),
      snapshot('AgentTask', 'build', 1, { attempt: 1, result: { artifacts: [{ name: 'log', digest }] } }, own),
    ]);
    const { id } = await store.createApiKey({ organisationId, name: 'ci', role: 'viewer' });
    const reader = store.asKey(id);
    const seen: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await reader.list('workflows', { limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.items.map(({ uid }) => uid));
      cursor = page.next;
      if (cursor === undefined) break;
    }
    expect(seen).toEqual(['w4', 'w3', 'w2', 'w1', 'w0']);
    // What is read so is the same as what is read otherwise.
    const where = { ...own, phase: 'Running' };
    expect(await reader.list('workflows', { where })).toEqual(await store.list('workflows', { where }));
    expect(await reader.show('workflows', 'w1')).toEqual(await store.show('workflows', 'w1'));
    expect(await reader.artifacts('build')).toEqual(await store.artifacts('build'));
    expect(await reader.artifacts('build')).toHaveLength(1);
    expect(await reader.show('workflows', 'foreign')).toBeUndefined();
    expect(await store.show('workflows', 'foreign')).toBeDefined();
    await expect(reader.list('workflows', { cursor: 'abc' })).rejects.toThrow(InvalidCursorError);
    await store.revokeApiKey(id);
    expect(await reader.list('workflows')).toEqual({ items: [] });
  });

  it('leaves a trail of creation and revocation, without the hash', async () => {
    const { id } = await store.createApiKey({
      organisationId: await organisation('trail'),
      name: 'ci',
      role: 'viewer',
    });
    await store.revokeApiKey(id);
    const rows = await database.sql('select actor, action, details::text from audit where subject = $1 order by at', [
      id,
    ]);
    expect(rows).toMatchObject([
      { actor: 'role:service_role', action: 'api_keys.insert' },
      { actor: 'role:service_role', action: 'api_keys.update' },
    ]);
    expect(JSON.stringify(rows)).not.toContain('hash');
  });
});

describe('migrations', () => {
  it('apply once, also when two processes start at the same time', async () => {
    expect(await Promise.all([migrate(database.postgresUrl), migrate(database.postgresUrl)])).toEqual([[], []]);
  });

  it('say what role they need', async () => {
    await database.sql(`create role plain_${process.pid} login password 'plain'`);
    const url = new URL(database.postgresUrl);
    url.username = `plain_${process.pid}`;
    url.password = 'plain';
    try {
      await database.sql(`grant create on database ${url.pathname.slice(1)} to ${url.username}`);
      await database.sql('drop schema supabase_migrations cascade');
      await expect(migrate(url.href)).rejects.toThrow(/bypasses row-level security, such as postgres on Supabase/);
    } finally {
      await database.sql(`drop owned by ${url.username} cascade`);
      await database.sql(`drop role ${url.username}`);
    }
  });
});
