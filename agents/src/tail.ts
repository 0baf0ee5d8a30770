/** The end of what a command printed, as people can be shown it: in a status, a terminal, a log of events. */
import { stripVTControlCharacters } from 'node:util';

const MAX_LINES = 20;
/** Of the sentence about how a command ended. */
const SHORT = { bytes: 400, lines: 5 };

/** Whatever moves a cursor, sets a colour or turns the direction of writing. Tabs and ends of lines stay. */
const CONTROLS = /[^\P{Cc}\t\n]|\p{Bidi_Control}/gu;

/** Text without control characters. Of a line that was written over, as progress bars are, the last version stays. */
export function readable(text: string): string {
  return stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.trimEnd())
    .map((line) => line.slice(line.lastIndexOf('\r') + 1))
    .join('\n')
    .replaceAll(CONTROLS, '')
    .toWellFormed();
}

/** The last lines of an output, whole ones where there are any, within `maxBytes` of UTF-8. */
export function lastLines(text: string, maxBytes: number, maxLines: number = MAX_LINES): string {
  const lines = text.trimEnd().split('\n').slice(-maxLines).join('\n');
  const bytes = Buffer.from(lines);
  let from = Math.max(0, bytes.length - maxBytes);
  if (from === 0) return lines;
  // Never within a character.
  while (((bytes[from] ?? 0) & 0xc0) === 0x80) from++;
  const cut = bytes.subarray(from).toString('utf8');
  const line = cut.indexOf('\n');
  return line >= 0 && line < cut.length - 1 ? cut.slice(line + 1) : cut;
}

/** The last few lines as one. */
export const lastWords = (text: string): string =>
  lastLines(text, SHORT.bytes, SHORT.lines)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' | ');
