// Recurrence rules (RFC 5545 RRULE, with SKIP of RFC 7529) as the fields of a form, and back. What the form has no field
// for is never read into it: such a rule stays the text that it is.

export const weekdays = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const workdays = weekdays.slice(0, 5);
const frequencies = ["daily", "weekly", "monthly", "yearly"];
/** Which weekday of a month: the second to last is -2. */
export const ordinals = [1, 2, 3, 4, 5, -1, -2];
/** In the place of a weekday: any day from Monday to Friday. */
export const workday = "WORKDAY";

/** Every day, for good. `monthly` says which day of the month; of "start" it is that of the due date. */
export const plainRule = {
  frequency: "daily", interval: 1, weekdays: [], monthly: { kind: "start" }, end: { kind: "never" }, monthEnd: "skip", weekStart: "MO",
};

/** The value of an RRULE property for the fields. */
export function writeRule({ frequency, interval, weekdays: days, monthly, end, monthEnd, weekStart }) {
  const parts = [`FREQ=${frequency.toUpperCase()}`];
  if (interval !== 1) parts.push(`INTERVAL=${interval}`);
  if (end.kind === "count") parts.push(`COUNT=${end.count}`);
  if (end.kind === "until") parts.push(`UNTIL=${end.date.replaceAll("-", "")}`);
  if (frequency === "weekly" && days.length) parts.push(`BYDAY=${inOrder(days)}`);
  if (frequency === "monthly" && monthly.kind === "weekday") {
    parts.push(monthly.day === workday ? `BYDAY=${workdays};BYSETPOS=${monthly.ordinal}` : `BYDAY=${monthly.ordinal}${monthly.day}`);
  }
  if (frequency === "monthly" && monthly.kind === "days") parts.push(`BYMONTHDAY=${monthly.days}`);
  if (weekStart !== "MO") parts.push(`WKST=${weekStart}`);
  if (monthEnd === "clamp") parts.push("RSCALE=GREGORIAN;SKIP=BACKWARD");
  return parts.join(";");
}

const inOrder = (days) => weekdays.filter((day) => days.includes(day));

/**
 * The fields of a rule; null when they cannot say all that it says, or when it is no rule. What they would be written as
 * is compared with the rule itself, so that no reading of a part can lose another.
 */
export function readRule(text) {
  const parts = partsOf(text);
  if (!parts) return null;
  const frequency = parts.get("FREQ")?.toLowerCase();
  const [interval, end, monthly] = [number(parts.get("INTERVAL") ?? "1"), readEnd(parts), readMonthly(parts)];
  if (!frequencies.includes(frequency) || !interval || !end || !monthly || !weekdays.includes(parts.get("WKST") ?? "MO")) return null;
  const fields = {
    frequency, interval, weekdays: frequency === "weekly" ? inOrder(list(parts, "BYDAY")) : [], monthly, end,
    monthEnd: parts.get("SKIP") === "BACKWARD" ? "clamp" : "skip", weekStart: parts.get("WKST") ?? "MO",
  };
  return isSameRule(writeRule(fields), text) ? fields : null;
}

/** Whether two rules say the same, in whatever order, with defaults named or not. */
export function isSameRule(left, right) {
  const [one, other] = [canonical(left), canonical(right)];
  return one !== null && one === other;
}

function canonical(text) {
  const parts = partsOf(text);
  if (!parts) return null;
  for (const [name, value] of [["INTERVAL", "1"], ["WKST", "MO"], ["SKIP", "OMIT"]]) if (parts.get(name) === value) parts.delete(name);
  if (!parts.has("SKIP") && parts.get("RSCALE") === "GREGORIAN") parts.delete("RSCALE");
  return [...parts].map(([name, value]) => `${name}=${[...new Set(value.split(","))].sort()}`).sort().join(";");
}

/** The parts by name; null when there is one that is none, or one twice. */
function partsOf(text) {
  const parts = new Map();
  for (const part of text.toUpperCase().split(";")) {
    const match = /^([A-Z]+)=([^=]+)$/.exec(part);
    if (!match || parts.has(match[1])) return null;
    parts.set(match[1], match[2]);
  }
  return parts;
}

const list = (parts, name) => parts.get(name)?.split(",") ?? [];
/** A whole number from 1; null when it is none. */
const number = (text) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : null);

function readEnd(parts) {
  if (parts.has("COUNT")) {
    const count = number(parts.get("COUNT"));
    return count && { kind: "count", count };
  }
  if (!parts.has("UNTIL")) return { kind: "never" };
  // A time of day, in UTC or not, is more than a field for a day can say.
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(parts.get("UNTIL"));
  const date = match?.slice(1).join("-");
  const isDay = date && !Number.isNaN(Date.parse(date)) && new Date(date).toISOString().startsWith(date);
  return isDay ? { kind: "until", date } : null;
}

function readMonthly(parts) {
  if (parts.get("FREQ") !== "MONTHLY") return { kind: "start" };
  if (parts.has("BYMONTHDAY")) {
    const days = [...new Set(list(parts, "BYMONTHDAY"))].map(Number);
    const isKnown = days.every((day) => day === -1 || (Number.isInteger(day) && day >= 1 && day <= 31));
    return isKnown ? { kind: "days", days: days.sort(lastAtTheEnd) } : null;
  }
  if (!parts.has("BYDAY")) return { kind: "start" };
  const match = /^(-?[1-5])?([A-Z]{2})$/.exec(parts.get("BYDAY"));
  const ordinal = Number(match ? match[1] : parts.get("BYSETPOS"));
  if (!ordinals.includes(ordinal) || (match && !weekdays.includes(match[2]))) return null;
  return { kind: "weekday", ordinal, day: match ? match[2] : workday };
}

/** The last day of a month comes after the 31st. */
export const lastAtTheEnd = (left, right) => (left + 32) % 32 - (right + 32) % 32;

/**
 * The rules that people mostly want of a task that is due on `date` ("2026-11-21"), by the names of their texts; `values`
 * are what the text is filled in with.
 */
export function presets(date) {
  const day = Number(date.slice(8));
  const weekday = weekdays[(new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7];
  // A fifth one is not in every month.
  const ordinal = day > 28 ? -1 : Math.ceil(day / 7);
  const month = (monthly) => ({ ...plainRule, frequency: "monthly", monthly });
  return [
    { name: "daily", rule: plainRule },
    { name: "workdays", rule: { ...plainRule, frequency: "weekly", weekdays: workdays } },
    { name: "weekly", rule: { ...plainRule, frequency: "weekly", weekdays: [weekday] }, values: { weekday } },
    { name: "monthDay", rule: month({ kind: "days", days: [day] }), values: { day } },
    { name: "monthWeekday", rule: month({ kind: "weekday", ordinal, day: weekday }), values: { ordinal, weekday } },
    { name: "monthLast", rule: month({ kind: "days", days: [-1] }) },
    { name: "yearly", rule: { ...plainRule, frequency: "yearly" }, values: { date } },
  ];
}

/** The preset that a rule is, but for its end and what it does at the end of a month; undefined for any other. */
export function presetOf(fields, date) {
  const { end, monthEnd, weekStart } = plainRule;
  const bare = writeRule({ ...fields, end, monthEnd, weekStart });
  return presets(date).find(({ rule }) => isSameRule(writeRule(rule), bare));
}
