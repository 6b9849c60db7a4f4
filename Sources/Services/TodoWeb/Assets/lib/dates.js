// Civil dates as "YYYY-MM-DD" texts, which compare as they are. No date of a task ever becomes an instant here: a day
// is the same day in every zone.

import { locale, t } from "../texts.js";
import { weekdays } from "./recurrence.js";

const dayMilliseconds = 86_400_000;

const civil = (instant) => instant.toISOString().slice(0, 10);
const utc = (date) => new Date(`${date}T00:00:00Z`);

/** The person's day: it begins at `dayStart` ("04:00") in their zone. */
export function today(me, now = new Date()) {
  const [hours, minutes] = (me?.dayStart ?? "00:00").split(":").map(Number);
  const shifted = new Date(now.getTime() - (hours * 60 + minutes) * 60_000);
  return dateIn(me?.zone, shifted);
}

function dateIn(zone, instant) {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone || undefined, year: "numeric", month: "2-digit", day: "2-digit" })
    .formatToParts(instant);
  const part = (type) => parts.find((each) => each.type === type).value;
  return `${part("year")}-${part("month")}-${part("day")}`;
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
export const dueDay = ({ date, time }) => format({ weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(utc(date)) + (time ? ` ${time}` : "");

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
export const instantDay = (instant, me) => dateIn(me?.zone, new Date(instant));

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
