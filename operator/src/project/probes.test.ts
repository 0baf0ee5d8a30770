import type { ProbeReply, Project } from '@millwright/crds';
import { beforeEach, describe, expect, it } from 'vitest';
import { aProject, NOW } from '../testing/objects.ts';
import { RepositoryProbes } from './probes.ts';

const answer = (status: ProbeReply['status']): ProbeReply => ({ type: 'probed', status, reason: 'R', message: 'm' });

let now: number;
let changed: string[];
let questions: { project: Project; resolve: (reply: ProbeReply) => void; reject: (error: Error) => void }[];
let probes: RepositoryProbes;
beforeEach(() => {
  now = NOW;
  changed = [];
  questions = [];
  probes = new RepositoryProbes({
    ask: (project) => new Promise((resolve, reject) => questions.push({ project, resolve, reject })),
    changed: (key) => changed.push(key),
    now: () => now,
    random: () => 0.5,
  });
});
const settled = () => new Promise((resolve) => setImmediate(resolve));
async function reply(status: ProbeReply['status']): Promise<void> {
  questions.at(-1)?.resolve(answer(status));
  await settled();
}

describe('looking at repositories', () => {
  it('asks once, does not wait, and tells when the answer is there', async () => {
    expect(probes.look(aProject())).toEqual({});
    expect(probes.look(aProject())).toEqual({});
    expect(questions).toHaveLength(1);
    await reply('True');
    expect(changed).toEqual(['team/project']);
    expect(probes.look(aProject())).toEqual({
      verdict: { status: 'True', reason: 'R', message: 'm' },
      againMs: 600_000,
    });
    expect(questions).toHaveLength(1);
  });

  it('asks again after a while, sooner when the repository could not be read, and keeps the answer meanwhile', async () => {
    probes.look(aProject());
    await reply('False');
    now += 59_999;
    expect(probes.look(aProject()).againMs).toBe(1);
    now += 1;
    expect(probes.look(aProject())).toEqual({ verdict: { status: 'False', reason: 'R', message: 'm' } });
    expect(questions).toHaveLength(2);
    await reply('True');
    expect(probes.look(aProject()).verdict?.status).toBe('True');
  });

  it('asks anew when the spec changes, and drops the answer to the question before', async () => {
    probes.look(aProject());
    const changedSpec = aProject({}, { generation: 2 });
    expect(probes.look(changedSpec)).toEqual({});
    expect(questions).toHaveLength(2);
    questions[0]?.resolve(answer('False'));
    await settled();
    expect(probes.look(changedSpec)).toEqual({});
    await reply('True');
    expect(changed).toEqual(['team/project']);
    expect(probes.look(changedSpec).verdict?.status).toBe('True');
  });

  it('says that nobody answered', async () => {
    probes.look(aProject());
    questions[0]?.reject(new Error('no answer within 25000 ms'));
    await settled();
    expect(probes.look(aProject())).toEqual({
      verdict: { status: 'Unknown', reason: 'NotProbed', message: 'no git host answers: no answer within 25000 ms' },
      againMs: 60_000,
    });
  });

  it('asks eight questions at a time, and none about a Project that is gone', async () => {
    const named = (i: number) => aProject({}, { name: `p${i}`, uid: `u${i}` });
    for (let i = 0; i < 10; i += 1) probes.look(named(i));
    expect(questions).toHaveLength(8);
    probes.forget('team/p8');
    questions[0]?.resolve(answer('True'));
    await settled();
    expect(questions.map(({ project }) => project.metadata.name)).toEqual([
      ...Array.from({ length: 8 }, (_, i) => `p${i}`),
      'p9',
    ]);
  });
});
