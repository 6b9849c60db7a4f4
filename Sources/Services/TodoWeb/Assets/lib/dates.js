// Civil dates as "YYYY-MM-DD" texts and times as "HH:MM", which compare as they are. The date of a task is the same day
// in every zone; only a time with a zone of its own is an instant, which other clocks show as another time.

import { locale, t } from "../texts.js";
import { weekdays } from "./recurrence.js";

const dayMilliseconds = 86_400_000;

const civil = (instant) => instant.toISOString().slice(0, 10);
const utc = (date) => new Date(`${date}T00:00:00Z`);

const clocks = new Map();
function clock(zone) {
  if (!clocks.has(zone)) clocks.set(zone, makeClock(zone));
  return clocks.get(zone);
}

function makeClock(zone) {
  const options = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  try {
    return new Intl.DateTimeFormat("en-CA", { ...options, timeZone: zone || undefined });
  } catch {
    // The browser may know fewer zones than the server. One task's zone must not keep all others from being shown.
    return new Intl.DateTimeFormat("en-CA", options);
  }
}

/** {date, time} that the clocks of a zone show at an instant. */
function wallTime(instant, zone) {
  const parts = Object.fromEntries(clock(zone).formatToParts(instant).map(({ type, value }) => [type, value]));
  return { date: `${parts.year.padStart(4, "0")}-${parts.month}-${parts.day}`, time: `${parts.hour}:${parts.minute}` };
}

/**
 * The instant at which the clocks of a zone show a time: the later one where they show it twice. A time that they skip
 * is read as if they had not been changed yet. PostgreSQL's timezone() does the same.
 */
function instantOf({ date, time, zone }) {
  const parse = (wall) => Date.parse(`${wall.date}T${wall.time}Z`);
  const wall = parse({ date, time });
  const shown = (instant) => parse(wallTime(instant, zone));
  const offsets = [wall - dayMilliseconds, wall + dayMilliseconds].map((near) => shown(near) - near);
  const late = wall - Math.min(...offsets);
  return [late, wall - Math.max(...offsets)].find((instant) => shown(instant) === wall) ?? late;
}

/** A day begins at the person's `dayStart` ("04:00"): a time before it belongs to the day before. */
const dayOf = ({ date, time }, me) => (time && time < (me?.dayStart ?? "00:00") ? addDays(date, -1) : date);

/** Due dates, which are never changed in place, as they were worked out: lists are sorted by them at every change. */
const shownOnClock = new WeakMap();

/** A due date as the person's own clock shows it; as it is written where the calendar ends and has no day beside it. */
function onClock(due, me) {
  if (!due.time || !due.zone || due.zone === me?.zone || /^(0001|9999)-/.test(due.date)) return due;
  let wall = shownOnClock.get(due);
  if (!wall || wall.zone !== me?.zone) shownOnClock.set(due, (wall = { ...wallTime(instantOf(due), me?.zone), zone: me?.zone }));
  return wall;
}

/** The person's day. */
export const today = (me, now = new Date()) => dayOf(wallTime(now, me?.zone), me);

/** The day that an instant of the API belongs to. */
export const instantDay = (instant, me) => today(me, new Date(instant));

/** The day on which something is due. With a time it may be another than its date; the server's `due:` has the same. */
export const dueDay = (due, me) => dayOf(onClock(due, me), me);

/** What due dates are sorted by. Days without a time come after the times of that day. */
export function dueKey(due, me) {
  const wall = onClock(due, me);
  return `${dayOf(wall, me)} ${wall.time ? `${wall.date} ${wall.time}` : "~"}`;
}

export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export const addDays = (date, days) => civil(new Date(utc(date).getTime() + days * dayMilliseconds));

export const daysBetween = (from, to) => Math.round((utc(to) - utc(from)) / dayMilliseconds);

/** 1 for Monday to 7 for Sunday. */
export const weekday = (date) => utc(date).getUTCDay() || 7;

/** The next such day after `date`. */
export const nextWeekday = (date, day) => addDays(date, (day - weekday(date) + 7) % 7 || 7);

/** Null when there is no such day in the calendar. */
export function makeDate(year, month, day) {
  const text = `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && civil(date) === text ? text : null;
}

const formats = new Map();
function format(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, options));
  return formats.get(key);
}

/** "Today", "Tomorrow", "Wednesday" within a week, then "21 Nov", with the year when it is another. */
export function dayName(date, now) {
  const distance = daysBetween(now, date);
  if (distance === 0) return t("date.today");
  if (distance === 1) return t("date.tomorrow");
  if (distance === -1) return t("date.yesterday");
  if (distance > 1 && distance < 7) return format({ weekday: "long", timeZone: "UTC" }).format(utc(date));
  const year = date.slice(0, 4) === now.slice(0, 4) ? undefined : "numeric";
  return format({ day: "numeric", month: "short", year, timeZone: "UTC" }).format(utc(date));
}

export const longDay = (date) => format({ weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(utc(date));

/** "Sat, 21 Nov 2026 14:30" */
export const longDueName = ({ date, time }) => format({ weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(utc(date)) + (time ? ` ${time}` : "");

/** "21 November" */
export const monthDay = (date) => format({ day: "numeric", month: "long", timeZone: "UTC" }).format(utc(date));

/** The name of "MO" to "SU"; 5 January 1970 was a Monday. */
export const weekdayName = (code, length = "long") => format({ weekday: length, timeZone: "UTC" }).format(utc(addDays("1970-01-05", weekdays.indexOf(code))));

/** "Tomorrow 14:30", with the zone when it is not the person's own. */
export function dueName(due, now, zone) {
  const foreign = due.zone && due.zone !== zone ? ` (${due.zone.split("/").pop().replaceAll("_", " ")})` : "";
  return dayName(due.date, now) + (due.time ? ` ${due.time}${foreign}` : "");
}

/** An instant of the API, in the browser's own zone. */
export const momentName = (instant) => format({ dateStyle: "medium", timeStyle: "short" }).format(new Date(instant));
export const timeName = (instant) => format({ timeStyle: "short" }).format(new Date(instant));

/** "1 h 30 min" of minutes, and back; null when it is none. */
export function estimateName(minutes) {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours && t("estimate.hours", { n: hours }), rest && t("estimate.minutes", { n: rest })].filter(Boolean).join(" ");
}

export function parseEstimate(text) {
  const match = /^\s*(?:(\d+(?:\.\d+)?)\s*h(?:ours?)?)?\s*(?:(\d+)\s*(?:m(?:in(?:utes)?)?)?)?\s*$/i.exec(text);
  if (!match || (match[1] === undefined && match[2] === undefined)) return null;
  const minutes = Math.round(Number(match[1] ?? 0) * 60) + Number(match[2] ?? 0);
  return minutes >= 1 && minutes <= 525_600 ? minutes : null;
}
