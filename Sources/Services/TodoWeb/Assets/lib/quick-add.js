// What a person types into one line: "Call Ada tomorrow 14:30 !high #phone +Work".
// Words that mean nothing here stay in the title, and so does everything behind a backslash: "\#1 fan".

import { addDays, makeDate, nextWeekday, weekday } from "./dates.js";
import { plainRule, weekdays, workday, writeRule } from "./recurrence.js";

const priorities = { urgent: "urgent", high: "high", medium: "medium", low: "low", 1: "urgent", 2: "high", 3: "medium", 4: "low" };
const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const months = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/**
 * @param text the line
 * @param now the person's today
 * @param projects those that tasks may be added to
 * @param dayStart when the person's day begins
 * @returns {title, priority?, tags, project?, due?, recurrence?} with the members that were said, and `repeats`, the words
 *   that said so
 */
export function parseQuickAdd(text, now, projects = [], dayStart = "00:00") {
  const result = { title: "", tags: [] };
  let rest = ` ${text} `;
  const take = (pattern, use) => {
    rest = rest.replace(pattern, (...match) => (use(...match) === false ? match[0] : " "));
  };
  take(/(?<=\s)\+("([^"]+)"|[^\s]+)(?=\s)/giu, (_, word, quoted) => {
    const name = (quoted ?? word).toLowerCase();
    const found = projects.find((project) => project.name.toLowerCase() === name || project.name.toLowerCase().replaceAll(" ", "") === name);
    if (!found || result.project) return false;
    result.project = found.id;
  });
  take(/(?<=\s)!(urgent|high|medium|low|[1-4])(?=\s)/gi, (_, name) => {
    if (result.priority) return false;
    result.priority = priorities[name.toLowerCase()];
  });
  take(/(?<=\s)#([^\s,()"*#]{1,50})(?=\s)/gu, (_, name) => {
    const tag = name.toLowerCase();
    if (!result.tags.includes(tag)) result.tags.push(tag);
  });
  const every = takeRecurrence(rest, now);
  const due = takeDue(every?.rest ?? rest, now, dayStart);
  if (every) Object.assign(result, { recurrence: { rule: every.rule }, repeats: every.words, due: { date: every.first ?? now } });
  // A day that is named beside the rule is the first; a time alone is that of every day.
  if (due) result.due = every && !due.hasDate ? { ...due.due, date: every.first ?? due.due.date } : due.due;
  rest = due?.rest ?? every?.rest ?? rest;
  result.title = rest.replace(/\s+/g, " ").trim().replace(/(^|\s)\\(?=[#+!]|\w)/g, "$1");
  return result;
}

/**
 * A date, a time or both at one place of the line; null when it has none. A time alone is that of the person's day,
 * which ends on the next date when it begins later than at midnight.
 */
function takeDue(text, now, dayStart) {
  const date = takeDate(text, now);
  const time = takeTime(date?.rest ?? text);
  if (!date && !time) return null;
  const day = date?.date ?? (time.time < dayStart ? addDays(now, 1) : now);
  return { due: { date: day, ...(time && { time: time.time }) }, rest: time?.rest ?? date.rest, hasDate: Boolean(date) };
}

/** How the line says that it repeats, where days give a first date; null where it does not. */
const takeRecurrence = (text, now) => takeNthWeekday(text, now) ?? takeEvery(text, now);

/** "every 2 weeks", "every month on the 1st", "every weekday" or "every mon, wed and fri". */
function takeEvery(text, now) {
  const match = everyPattern.exec(text);
  if (!match) return null;
  const [whole, interval, unit, monthDay, names] = match;
  const said = { rest: cut(text, match), words: whole.trim().toLowerCase() };
  if (unit) {
    const count = intervalOf(interval);
    const first = monthDay && nextDay(now, (date) => Number(date.slice(8)) === Number(monthDay));
    return count > 0 ? { ...said, first, rule: `FREQ=${frequencies[unit.toLowerCase()]}${count > 1 ? `;INTERVAL=${count}` : ""}` } : null;
  }
  const chosen = names ? [...new Set(names.split(/[\s,]+/).filter((each) => !/^(?:and)?$/i.test(each)).map(dayNumber))].sort() : [1, 2, 3, 4, 5];
  const first = nextDay(now, (date) => chosen.includes(weekday(date)));
  return { ...said, first, rule: `FREQ=WEEKLY;BYDAY=${chosen.map((day) => weekdays[day - 1])}` };
}

/** "every 1st friday", "every 2 months on the last weekday" or "on the first monday of every month". */
function takeNthWeekday(text, now) {
  const match = nthPatterns.map((pattern) => pattern.exec(text)).find(Boolean);
  const interval = match && intervalOf(match.groups.interval);
  if (!interval) return null;
  const ordinal = ordinalOf(match.groups.nth.toLowerCase());
  const number = dayNumber(match.groups.day);
  const isWanted = (date) => (number ? weekday(date) === number : weekday(date) < 6);
  const monthly = { kind: "weekday", ordinal, day: weekdays[number - 1] ?? workday };
  const words = match[0].trim().toLowerCase();
  return {
    rest: cut(text, match), first: nextDay(now, (date) => isWanted(date) && isNth(date, ordinal, isWanted)),
    // Every second Tuesday could be every other: it is said which one is meant.
    words: words.includes("month") ? words : `${words} of the month`,
    rule: writeRule({ ...plainRule, frequency: "monthly", interval, monthly }),
  };
}

const intervalOf = (said) => (said?.toLowerCase() === "other" ? 2 : Number(said ?? 1));

/** "1st" or "first" is 1, "last" is -1 and "second to last" -2, as in a rule. */
function ordinalOf(name) {
  if (name.endsWith("last")) return name === "last" ? -1 : -2;
  return Number.parseInt(name, 10) || ordinalNames.indexOf(name) + 1;
}

/** Whether a day is that one among the days of its month that are wanted. */
function isNth(date, ordinal, isWanted) {
  const [year, month] = date.split("-").map(Number);
  const days = [...Array(31).keys()].map((index) => makeDate(year, month, index + 1)).filter(Boolean).filter(isWanted);
  return days.at(ordinal > 0 ? ordinal - 1 : ordinal) === date;
}

/** The next such day from today on. From one fifth Friday of a month to the next there may be 17 weeks. */
const nextDay = (now, isWanted) => [...Array(7 * 17).keys()].map((distance) => addDays(now, distance)).find(isWanted);

/** Reads a due date that somebody typed by itself; null when something in it is not understood. */
export function parseDue(text, now, dayStart = "00:00") {
  const found = takeDue(` ${text} `, now, dayStart);
  return found && found.rest.trim() === "" ? found.due : null;
}

function takeDate(text, now) {
  for (const [pattern, read] of datePatterns) {
    const match = pattern.exec(text);
    const date = match && read(match, now);
    if (date) return { date, rest: cut(text, match) };
  }
  return null;
}

const dayNumber = (name) => days.findIndex((day) => day.startsWith(name.toLowerCase().slice(0, 3))) + 1;
const monthNumber = (name) => months.findIndex((month) => month.startsWith(name.toLowerCase().slice(0, 3))) + 1;

/** Without a year, the next such day from today on. */
function dayOfMonth(day, month, year, now) {
  if (year) return makeDate(Number(year), month, Number(day));
  const thisYear = Number(now.slice(0, 4));
  const date = makeDate(thisYear, month, Number(day));
  return date && date >= now ? date : makeDate(thisYear + 1, month, Number(day));
}

const dayNames = "mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?";
const monthNames = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";
const word = (source) => new RegExp(`(?<=\\s)(?:(?:by|on|due)\\s+)?(?:${source})(?=\\s)`, "i");

const ordinalNames = ["first", "second", "third", "fourth", "fifth"];
const nth = `(?<nth>(?:(?:2nd|second)(?:\\s+to)?\\s+)?last|1st|2nd|3rd|4th|5th|${ordinalNames.join("|")})`;
const nthWeekday = `${nth}\\s+(?<day>weekday|${dayNames})`;
const nthPatterns = [
  "every\\s+(?:(?:(?<interval>other|\\d{1,3})\\s+)?months?\\s+on\\s+the\\s+)?"
    + `${nthWeekday}(?:\\s+of\\s+(?:the|each|every)\\s+month)?`
    // Of a year, or of something else, it is another day; of several days one alone would be wrong.
    + `(?!\\s+(?:of|in\\s+(?:${monthNames})|and\\s+(?:${dayNames}))\\s)`,
  `(?:on\\s+)?(?:the\\s+)?${nthWeekday}\\s+of\\s+(?:each|every)\\s+month`,
].map((source) => new RegExp(`(?<=\\s)${source}(?=\\s)`, "i"));

const frequencies = { day: "DAILY", week: "WEEKLY", month: "MONTHLY", year: "YEARLY" };
const everyPattern = new RegExp(`(?<=\\s)every\\s+(?:(?:(other|\\d{1,3})\\s+)?(day|week|month|year)s?(?:(?<=months?)\\s+on\\s+the\\s+([12]\\d|3[01]|[1-9])(?:st|nd|rd|th)(?!\\s+(?:${dayNames})\\s))?|weekday|((?:${dayNames})(?:(?:\\s*,\\s*|\\s+and\\s+)(?:${dayNames}))*))(?=\\s)`, "i");

const datePatterns = [
  [word("(\\d{4})-(\\d{2})-(\\d{2})"), (match) => makeDate(Number(match[1]), Number(match[2]), Number(match[3]))],
  [word("today|tod"), (_, now) => now],
  [word("tomorrow|tmr|tom"), (_, now) => addDays(now, 1)],
  [word("next week"), (_, now) => nextWeekday(now, 1)],
  [word("(?:this )?weekend"), (_, now) => (weekday(now) === 6 ? now : nextWeekday(now, 6))],
  [word("in (\\d{1,3}) (day|week)s?"), (match, now) => addDays(now, Number(match[1]) * (match[2].toLowerCase() === "week" ? 7 : 1))],
  [word(`next (${dayNames})`), (match, now) => addDays(nextWeekday(now, dayNumber(match[1])), 0)],
  [word(`(\\d{1,2})\\.? (${monthNames})(?: (\\d{4}))?`), (match, now) => dayOfMonth(match[1], monthNumber(match[2]), match[3], now)],
  [word(`(${monthNames}) (\\d{1,2})(?:,? (\\d{4}))?`), (match, now) => dayOfMonth(match[2], monthNumber(match[1]), match[3], now)],
  [word(`(${dayNames})`), (match, now) => nextWeekday(now, dayNumber(match[1]))],
];

function takeTime(text) {
  const match = /(?<=\s)(?:at\s+)?(?:(\d{1,2}):(\d{2})\s?(am|pm)?|(\d{1,2})\s?(am|pm))(?=\s)/i.exec(text);
  if (!match) return null;
  const half = (match[3] ?? match[5])?.toLowerCase();
  let hours = Number(match[1] ?? match[4]);
  const minutes = Number(match[2] ?? 0);
  if (minutes > 59 || hours > 23 || (half && (hours < 1 || hours > 12))) return null;
  if (half) hours = (hours % 12) + (half === "pm" ? 12 : 0);
  return { time: `${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`, rest: cut(text, match) };
}

const cut = (text, match) => `${text.slice(0, match.index)} ${text.slice(match.index + match[0].length)}`;
