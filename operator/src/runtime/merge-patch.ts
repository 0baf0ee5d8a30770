/**
 * The JSON merge patch (RFC 7386) that turns `from` into `to`, or undefined when they are equal as JSON. Members that are
 * `undefined` or `null` count as absent (a merge patch cannot store a null); arrays are replaced whole.
 */
export function mergePatchBetween(from: unknown, to: unknown): unknown {
  if (!isRecord(from) || !isRecord(to)) return jsonEqual(from, to) ? undefined : to;
  let patch: Record<string, unknown> | undefined;
  for (const key of Object.keys(to)) {
    const wanted = to[key];
    if (isAbsent(wanted)) continue;
    const present = from[key];
    const part = isAbsent(present) ? wanted : mergePatchBetween(present, wanted);
    if (part === undefined) continue;
    patch ??= {};
    patch[key] = part;
  }
  for (const key of Object.keys(from)) {
    if (isAbsent(from[key]) || !isAbsent(to[key])) continue;
    patch ??= {};
    patch[key] = null;
  }
  return patch;
}

/** Whether two values would be written as the same JSON, whatever the order of members. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => jsonEqual(item, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  for (const key of Object.keys(a)) if (!isAbsent(a[key]) && !jsonEqual(a[key], b[key])) return false;
  for (const key of Object.keys(b)) if (!isAbsent(b[key]) && isAbsent(a[key])) return false;
  return true;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
