import type { Engine } from './engine.ts';
import { runner } from './runner.ts';

/** Every engine by its name in `AgentPool.spec.engine`. */
export const engines = { runner } satisfies Record<string, Engine>;
