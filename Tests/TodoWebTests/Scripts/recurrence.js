// Runs in the page: `assets` is the address of its modules, `vectors` what others made of many rules. Gives {wrong, known}.

const wrong = [];
function same(actual, expected, what) {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) wrong.push(`${what}: ${left}, not ${right}`);
}
const { isSameRule, plainRule, presetOf, presets, readRule, writeRule } = await import(`${assets}/lib/recurrence.js`);
const { openRecurrenceForm } = await import(`${assets}/parts/recurrence-form.js`);

// What the fields say is the rule; what is no rule, or more than they can say, is not read into them.
let known = 0;
for (const { rrule, error } of vectors) {
  const fields = readRule(rrule);
  if (!fields) continue;
  known += 1;
  if (error) wrong.push(`${rrule} is no rule, but is read`);
  if (!isSameRule(writeRule(fields), rrule)) wrong.push(`${rrule} became ${writeRule(fields)}`);
  same(readRule(writeRule(fields)), fields, `${rrule} read twice`);
}

// The form changes nothing of a rule by being opened, whatever it shows of it.
const field = (name) => [...document.querySelectorAll("dialog[open] label")].find((label) => label.textContent === name).control;
const ours = ["FREQ=MONTHLY;BYDAY=-1FR;RSCALE=GREGORIAN;SKIP=BACKWARD", "FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD;RSCALE=GREGORIAN", "FREQ=MONTHLY;BYMONTHDAY=31;RSCALE=GREGORIAN;SKIP=FORWARD", "FREQ=DAILY;INTERVAL=2;WKST=SU", "RRULEs are not this"];
for (const { rrule, dtstart } of [...vectors, ...ours.map((rrule) => ({ rrule, dtstart: "2026-11-30" }))]) {
  const value = { rule: rrule, basis: "due", overdue: "next", overdueLimit: null, text: "" };
  const form = openRecurrenceForm(value, { date: dtstart.slice(0, 10) }, () => wrong.push(`${rrule} was changed`));
  same(form.rule, rrule, "the rule of the form");
  const kind = field("Repeats");
  same(kind.value === "rule", !readRule(rrule), `${rrule} is shown as ${kind.value}`);
  if (kind.value !== "rule") {
    // By its single fields, too, it is the same.
    kind.value = "custom";
    kind.dispatchEvent(new Event("change", { bubbles: true }));
    same(form.rule, rrule, "the rule of the single fields");
  }
  kind.value = "rule";
  kind.dispatchEvent(new Event("change", { bubbles: true }));
  same(form.rule, rrule, "the rule as text");
  const isClosed = new Promise((resolve) => form.dialog.addEventListener("close", resolve));
  form.dialog.close();
  await isClosed;
}

// One is said as one, whatever the interval was before.
for (const [interval, unit] of [[1, "week"], [2, "weeks"]]) {
  const form = openRecurrenceForm({ rule: `FREQ=WEEKLY;INTERVAL=${interval}`, basis: "due", overdue: "next" }, { date: "2026-11-30" }, () => {});
  const units = document.querySelector("dialog[open] select[aria-label=Unit]");
  same(units.selectedOptions[0].textContent, unit, `the unit of ${interval}`);
  const count = document.querySelector('dialog[open] input[aria-label="Every so many"]');
  count.value = 3 - interval;
  count.dispatchEvent(new Event("input", { bubbles: true }));
  same(units.selectedOptions[0].textContent, interval === 1 ? "weeks" : "week", `the unit of ${3 - interval}`);
  form.dialog.close();
}

// What is there for people to choose
for (const [date, rules] of [
  ["2026-11-21", ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY;BYDAY=SA", "FREQ=MONTHLY;BYMONTHDAY=21", "FREQ=MONTHLY;BYDAY=3SA", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY"]],
  ["2026-11-30", ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY;BYDAY=MO", "FREQ=MONTHLY;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=-1MO", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY"]],
]) {
  same(presets(date).map(({ rule }) => writeRule(rule)), rules, `presets of ${date}`);
}
same(presetOf(readRule("FREQ=WEEKLY;BYDAY=SA;COUNT=3"), "2026-11-21")?.name, "weekly", "a preset that ends");
same(presetOf(readRule("FREQ=WEEKLY;BYDAY=SA"), "2026-11-20")?.name, undefined, "a preset of another day");

// The parts one by one
for (const [text, changes] of [
  ["FREQ=DAILY", {}],
  ["freq=weekly;byday=su,mo;interval=2;wkst=su", { frequency: "weekly", interval: 2, weekdays: ["MO", "SU"], weekStart: "SU" }],
  ["FREQ=MONTHLY;BYDAY=-1FR;COUNT=12", { frequency: "monthly", monthly: { kind: "weekday", ordinal: -1, day: "FR" }, end: { kind: "count", count: 12 } }],
  ["FREQ=MONTHLY;BYDAY=FR,MO,TU,WE,TH;BYSETPOS=-1", { frequency: "monthly", monthly: { kind: "weekday", ordinal: -1, day: "WORKDAY" } }],
  ["FREQ=MONTHLY;BYMONTHDAY=-1,15", { frequency: "monthly", monthly: { kind: "days", days: [15, -1] } }],
  ["FREQ=MONTHLY;BYMONTHDAY=31;RSCALE=GREGORIAN;SKIP=BACKWARD", { frequency: "monthly", monthly: { kind: "days", days: [31] }, monthEnd: "clamp" }],
  ["RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=OMIT;UNTIL=20301231", { frequency: "yearly", end: { kind: "until", date: "2030-12-31" } }],
]) {
  same(readRule(text), { ...plainRule, ...changes }, text);
}
for (const text of [
  "", "x", "FREQ", "FREQ=", "FREQ=DAILY;", "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;X=1", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;WKST=XX", "FREQ=DAILY;COUNT=1;UNTIL=20300101",
  "FREQ=DAILY;UNTIL=20300230", "FREQ=DAILY;UNTIL=20300101T000000Z", "FREQ=DAILY;BYDAY=MO", "FREQ=HOURLY", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=WEEKLY;BYDAY=XX", "FREQ=WEEKLY;BYMONTH=1",
  "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", "FREQ=MONTHLY;BYDAY=1FR;BYSETPOS=1", "FREQ=MONTHLY;BYDAY=MO", "FREQ=MONTHLY;BYDAY=1XX", "FREQ=MONTHLY;BYMONTHDAY=05", "FREQ=MONTHLY;BYMONTHDAY=-2",
  "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=MONTHLY;SKIP=BACKWARD", "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=FORWARD", "FREQ=YEARLY;BYMONTHDAY=5",
]) {
  same(readRule(text), null, `“${text}”`);
}
same(isSameRule("FREQ=DAILY", "INTERVAL=1;FREQ=daily;WKST=MO"), true, "defaults that are named");
same(isSameRule("FREQ=DAILY", "FREQ=DAILY;INTERVAL=2"), false, "another rule");
same(isSameRule("x", "x"), false, "no rules");

return { wrong, known };
