import { reasons } from '@millwright/crds';
import { FailedError } from '../errors.ts';
import { describeEnd, succeeded } from '../shell.ts';
import { lastLines } from '../tail.ts';
import type { Engine } from './engine.ts';

/** Runs the task's command; no model is involved. */
export const runner: Engine = {
  async execute({ commands, env, checkout, shell, progress }) {
    const { command } = commands;
    if (command === undefined || command.length === 0)
      throw new FailedError({
        class: 'governance',
        reason: reasons.InvalidSpec,
        message: 'the task has no command: tasks with a prompt need a pool with engine llm',
      });
    progress('command', command.join(' ').slice(0, 1024));
    const finished = await shell.run({ run: { argv: command }, cwd: checkout, env });
    const summary = lastLines(finished.tail, 2048);
    if (succeeded(finished)) return { exitCode: 0, summary };
    throw new FailedError({
      class: 'agent',
      reason: reasons.CommandFailed,
      message: describeEnd('the command', finished),
      exitCode: finished.exitCode,
      summary,
    });
  },
};
