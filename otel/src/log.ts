/** Severity, in rising order. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Values that go beside a message; an `Error` is written with its stack and cause. */
export type LogFields = Record<string, unknown>;

/** What every process logs through. Never throws. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to everything it writes. */
  child(fields: LogFields): Logger;
}

const severity: Record<LogLevel, number> = { debug: 10, info: 20, warn: 30, error: 40 };

/**
 * A logger that writes one JSON object a line: `time`, `level`, `msg`, then the fields.
 * @param options.level the lowest level written; `info` by default
 * @param options.write takes a line with its newline; standard output by default
 */
export function createLogger(
  options: { level?: LogLevel; fields?: LogFields; write?: (line: string) => void } = {},
): Logger {
  const threshold = severity[options.level ?? 'info'];
  const write = options.write ?? ((line: string) => process.stdout.write(line));
  return withFields(options.fields ?? {});

  function withFields(bound: LogFields): Logger {
    const log = (level: LogLevel) => (message: string, fields?: LogFields) => {
      if (severity[level] < threshold) return;
      write(`${stringify({ time: new Date().toISOString(), level, msg: message, ...bound, ...fields })}\n`);
    };
    return {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
      child: (fields) => withFields({ ...bound, ...fields }),
    };
  }
}

/** A logger that writes nothing: the default where a caller passes none. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

function stringify(record: LogFields): string {
  try {
    return JSON.stringify(record, (_key, value: unknown) => {
      if (value instanceof Error) return describeError(value);
      return typeof value === 'bigint' ? value.toString() : value;
    });
  } catch (error) {
    // A cycle or a throwing getter in a field must not cost the caller anything.
    return JSON.stringify({ time: record.time, level: record.level, msg: record.msg, unloggable: String(error) });
  }
}

function describeError(error: Error): LogFields {
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  };
}
