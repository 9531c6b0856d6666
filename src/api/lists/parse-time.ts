const shape = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/**
 * The moment that an RFC 3339 text means, in milliseconds since 1970; undefined where it is none. Times of the log are whole
 * milliseconds, so any finer fraction becomes half a millisecond: after the one before and before the one after, which is
 * all that comparing needs. Leap seconds (`:60`) are refused, as in the JSON form of protobuf.
 */
export function parseTime(text: string): number | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, date = '', time = '', fraction = '', sign, hours, minutes] = match;
  const wholeMs = Date.parse(`${date}T${time}Z`);
  // Node takes the 30th of February for the 1st or 2nd of March, and 24:00 for the next day.
  if (Number.isNaN(wholeMs) || !new Date(wholeMs).toISOString().startsWith(`${date}T${time}.`)) return undefined;
  const offsetMs = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000 * (sign === '-' ? -1 : 1);
  const fractionMs = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const finer = /[1-9]/.test(fraction.slice(3)) ? 0.5 : 0;
  return wholeMs + fractionMs + finer - offsetMs;
}
