import { expect, it } from 'vitest';
import { createTranscript } from './transcript.ts';

it('keeps everything within its limits', () => {
  const transcript = createTranscript({ head: 10, tail: 10 });
  for (const text of ['0123456', '789abc', 'def']) transcript.add(text);
  expect(transcript.content().toString()).toBe('0123456789abcdef');
});

it('keeps the first and the last part of what is longer, and counts the gap', () => {
  const transcript = createTranscript({ head: 10, tail: 4 });
  for (let n = 0; n < 1_000; n++) transcript.add('x'.repeat(10));
  transcript.add('last');
  const content = transcript.content().toString();
  expect(content).toMatch(/^x{10}\n… (\d+) bytes are left out here …\nx{0,4}/);
  expect(content.endsWith('last')).toBe(true);
  const gap = Number(/(\d+) bytes/.exec(content)?.[1]);
  expect(gap + content.replace(/\n.*\n/, '').length).toBe(10_004);
});
