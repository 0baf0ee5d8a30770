import { describe, expect, it } from 'vitest';
import { createLogger, type LogLevel } from './log.ts';

function recorded(level?: LogLevel) {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => lines.push(line), ...(level === undefined ? {} : { level }) });
  return { logger, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>), lines };
}

describe('a logger', () => {
  it('writes one JSON object a line, with the fields of its parents', () => {
    const { logger, records, lines } = recorded();
    logger.child({ a: 1 }).child({ b: 2 }).info('hello\nthere', { c: 3n });
    expect(records()[0]).toMatchObject({ level: 'info', msg: 'hello\nthere', a: 1, b: 2, c: '3' });
    expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1);
  });

  it('leaves out what is below its level', () => {
    const { logger, records } = recorded('warn');
    logger.debug('a');
    logger.info('b');
    logger.warn('c');
    logger.error('d');
    expect(records().map(({ msg }) => msg)).toEqual(['c', 'd']);
  });

  it('writes errors with their cause', () => {
    const { logger, records } = recorded();
    logger.error('failed', { error: new Error('outer', { cause: new TypeError('inner') }) });
    expect(records()[0]?.error).toMatchObject({ message: 'outer', cause: { name: 'TypeError', message: 'inner' } });
  });

  it('survives what cannot be written', () => {
    const { logger, records } = recorded();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    logger.info('cycle', { cycle });
    expect(records()[0]).toMatchObject({ msg: 'cycle', unloggable: expect.stringContaining('circular') });
  });
});
