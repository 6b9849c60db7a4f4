// Runs in the page, with its modules: import(assets + "/lib/…"). Gives a list of what is wrong; nothing when all is right.
// `assets` is the address of the modules.

const wrong = [];
function same(actual, expected, what) {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) wrong.push(`${what}: ${left}, not ${right}`);
}
const load = (path) => import(`${assets}/${path}`);

// Dates: 21 November 2026 is a Saturday.
const now = "2026-11-21";
const dates = await load("lib/dates.js");
same(dates.addDays("2026-02-28", 1), "2026-03-01", "the day after February");
same(dates.addDays("2028-02-28", 1), "2028-02-29", "leap day");
same(dates.addDays("2026-03-29", 1), "2026-03-30", "the day when clocks go forward");
same(dates.weekday(now), 6, "weekday");
same(dates.nextWeekday(now, 6), "2026-11-28", "the next Saturday is in a week");
same(dates.makeDate(2026, 2, 29), null, "no such day");
same(dates.dayName("2026-11-22", now), "Tomorrow", "tomorrow");
same(dates.dayName("2026-11-25", now), "Wednesday", "within a week");
same(dates.dayName("2027-01-05", now).includes("2027"), true, "another year is said");
same(dates.dueName({ date: now, time: "09:30", zone: "Europe/Berlin" }, now, "UTC"), "Today 09:30 (Berlin)", "foreign zone");
same(dates.dueName({ date: now, time: "09:30", zone: "Europe/Berlin" }, now, "Europe/Berlin"), "Today 09:30", "own zone");
const instant = new Date("2026-11-21T02:30:00Z");
same(dates.today({ zone: "UTC", dayStart: "04:00" }, instant), "2026-11-20", "before the person's day begins");
same(dates.today({ zone: "Asia/Tokyo", dayStart: "00:00" }, instant), "2026-11-21", "today in Tokyo");
same(dates.today({ zone: "America/Los_Angeles", dayStart: "00:00" }, instant), "2026-11-20", "today in California");
const owl = { zone: "Europe/Berlin", dayStart: "04:00" };
same(dates.today(owl, new Date("2026-03-29T02:30:00Z")), "2026-03-29", "04:30 of a night that is an hour shorter");
same(dates.today(owl, new Date("2026-10-25T02:30:00Z")), "2026-10-24", "03:30 of a night that is an hour longer");
same(dates.instantDay("2026-11-21T02:59:59Z", owl), "2026-11-20", "done before the person's day begins");
same(dates.instantDay("2026-11-21T03:00:00Z", owl), "2026-11-21", "done when it begins");
for (const [due, day] of [
  [{ date: now }, now],
  [{ date: now, time: "03:59" }, "2026-11-20"],
  [{ date: now, time: "04:00" }, now],
  [{ date: now, time: "03:59", zone: "Europe/Berlin" }, "2026-11-20"],
  [{ date: now, time: "11:59", zone: "Asia/Tokyo" }, "2026-11-20"],
  [{ date: now, time: "12:00", zone: "Asia/Tokyo" }, now],
  [{ date: now, time: "21:59", zone: "America/New_York" }, now],
  [{ date: now, time: "22:00", zone: "America/New_York" }, "2026-11-22"],
  [{ date: now, time: "15:59", zone: "Pacific/Pago_Pago" }, now],
  [{ date: now, time: "16:00", zone: "Pacific/Pago_Pago" }, "2026-11-22"],
  [{ date: now, time: "12:00", zone: "Nowhere/Known" }, now],
  [{ date: "9999-12-31", time: "23:30", zone: "America/New_York" }, "9999-12-31"],
  [{ date: "0001-01-01", time: "12:00", zone: "Pacific/Kiritimati" }, "0001-01-01"],
  [{ date: "0002-01-01", time: "12:00", zone: "Asia/Tokyo" }, "0001-12-31"],
]) same(dates.dueDay(due, owl), day, `the day of ${JSON.stringify(due)}`);
// What PostgreSQL's timezone() makes of times that clocks skip or show twice.
for (const [due, dayStart, day] of [
  [{ date: "2026-03-08", time: "02:30", zone: "America/New_York" }, "07:30", "2026-03-08"],
  [{ date: "2026-03-08", time: "02:30", zone: "America/New_York" }, "07:31", "2026-03-07"],
  [{ date: "2026-11-01", time: "01:30", zone: "America/New_York" }, "06:30", "2026-11-01"],
  [{ date: "2026-11-01", time: "01:30", zone: "America/New_York" }, "06:31", "2026-10-31"],
  [{ date: "2026-11-01", time: "00:30", zone: "America/New_York" }, "04:31", "2026-10-31"],
  [{ date: "2026-11-01", time: "02:30", zone: "America/New_York" }, "07:30", "2026-11-01"],
  [{ date: "2026-03-08", time: "01:30", zone: "America/New_York" }, "06:30", "2026-03-08"],
  [{ date: "2026-03-08", time: "03:30", zone: "America/New_York" }, "07:31", "2026-03-07"],
]) same(dates.dueDay(due, { zone: "UTC", dayStart }), day, `the day of ${JSON.stringify(due)} that begins at ${dayStart}`);
const sortedDue = [{ date: "2026-11-20", time: "23:00" }, { date: now, time: "01:00" }, { date: "2026-11-20" }, { date: now, time: "12:00", zone: "Asia/Tokyo" }, { date: now }];
same([...sortedDue].reverse().sort((left, right) => (dates.dueKey(left, owl) < dates.dueKey(right, owl) ? -1 : 1)), sortedDue, "sorted by the person's days");
for (const [text, minutes] of [["90", 90], ["1h", 60], ["1 h 30 min", 90], ["1.5h", 90], ["", null], ["0", null], ["soon", null], ["h", null]]) {
  same(dates.parseEstimate(text), minutes, `estimate “${text}”`);
}
for (const minutes of [1, 59, 60, 90, 1500]) same(dates.parseEstimate(dates.estimateName(minutes)), minutes, `estimate of ${minutes} and back`);

// Quick add
const { parseDue, parseQuickAdd } = await load("lib/quick-add.js");
const projects = [{ id: "w", name: "Work" }, { id: "h", name: "House and garden" }];
const quick = [
  ["Buy milk", { title: "Buy milk", tags: [] }],
  ["Call Ada tomorrow 14:30 !high #phone +work", { title: "Call Ada", tags: ["phone"], project: "w", priority: "high", due: { date: "2026-11-22", time: "14:30" } }],
  ["Rake leaves +\"House and garden\" #a #b #a", { title: "Rake leaves", tags: ["a", "b"], project: "h" }],
  ["Rake leaves +houseandgarden", { title: "Rake leaves", tags: [], project: "h" }],
  ["Learn C++ +Nothing #", { title: "Learn C++ +Nothing #", tags: [] }],
  ["Pay at 9am !1 !2", { title: "Pay !2", tags: [], priority: "urgent", due: { date: now, time: "09:00" } }],
  ["Pay 12am", { title: "Pay", tags: [], due: { date: now, time: "00:00" } }],
  ["Dentist 3 dec", { title: "Dentist", tags: [], due: { date: "2026-12-03" } }],
  ["Dentist january 5 2028", { title: "Dentist", tags: [], due: { date: "2028-01-05" } }],
  ["Taxes 1 march", { title: "Taxes", tags: [], due: { date: "2027-03-01" } }],
  ["Gym friday", { title: "Gym", tags: [], due: { date: "2026-11-27" } }],
  ["Trip in 2 weeks", { title: "Trip", tags: [], due: { date: "2026-12-05" } }],
  ["Ship 2026-12-24 8:05 pm", { title: "Ship", tags: [], due: { date: "2026-12-24", time: "20:05" } }],
  ["Read 1984 by Monday", { title: "Read 1984", tags: [], due: { date: "2026-11-23" } }],
  ["Buy 25:99 things on 2026-02-31", { title: "Buy 25:99 things on 2026-02-31", tags: [] }],
  ["Say \\#hello \\today", { title: "Say #hello today", tags: [] }],
  ["Pay rent every friday 17:00 #home", { title: "Pay rent", tags: ["home"], due: { date: "2026-11-27", time: "17:00" }, recurrence: { rule: "FREQ=WEEKLY;BYDAY=FR" } }],
  ["Stand up every weekday 9am", { title: "Stand up", tags: [], due: { date: "2026-11-23", time: "09:00" }, recurrence: { rule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR" } }],
  ["Gym every sun, wed and Mon", { title: "Gym", tags: [], due: { date: "2026-11-22" }, recurrence: { rule: "FREQ=WEEKLY;BYDAY=MO,WE,SU" } }],
  ["Rent every month 1 dec", { title: "Rent", tags: [], due: { date: "2026-12-01" }, recurrence: { rule: "FREQ=MONTHLY" } }],
  ["Pay rent every month on the 1st 9:00", { title: "Pay rent", tags: [], due: { date: "2026-12-01", time: "09:00" }, recurrence: { rule: "FREQ=MONTHLY" } }],
  ["Count every 2 months on the 31st", { title: "Count", tags: [], due: { date: "2026-12-31" }, recurrence: { rule: "FREQ=MONTHLY;INTERVAL=2" } }],
  ["Meet every week on the 2nd floor", { title: "Meet on the 2nd floor", tags: [], due: { date: now }, recurrence: { rule: "FREQ=WEEKLY" } }],
  ["Water every other day", { title: "Water", tags: [], due: { date: now }, recurrence: { rule: "FREQ=DAILY;INTERVAL=2" } }],
  ["Back up every 3 weeks", { title: "Back up", tags: [], due: { date: now }, recurrence: { rule: "FREQ=WEEKLY;INTERVAL=3" } }],
  ["Say it every 0 days", { title: "Say it every 0 days", tags: [] }],
  ["Board every month on the 1st friday 10:00", { title: "Board", tags: [], due: { date: "2026-12-04", time: "10:00" }, recurrence: { rule: "FREQ=MONTHLY;BYDAY=1FR" } }],
  ["Report every First Monday of the month !low", { title: "Report", tags: [], priority: "low", due: { date: "2026-12-07" }, recurrence: { rule: "FREQ=MONTHLY;BYDAY=1MO" } }],
  ["Gym every 2nd tuesday", { title: "Gym", tags: [], due: { date: "2026-12-08" }, recurrence: { rule: "FREQ=MONTHLY;BYDAY=2TU" } }],
  ["Pay every last fri #home", { title: "Pay", tags: ["home"], due: { date: "2026-11-27" }, recurrence: { rule: "FREQ=MONTHLY;BYDAY=-1FR" } }],
  ["Rest every second to last sat", { title: "Rest", tags: [], due: { date: now }, recurrence: { rule: "FREQ=MONTHLY;BYDAY=-2SA" } }],
  ["Race every other month on the fifth friday", { title: "Race", tags: [], due: { date: "2027-01-29" }, recurrence: { rule: "FREQ=MONTHLY;INTERVAL=2;BYDAY=5FR" } }],
  ["Invoice every 3 months on the last weekday", { title: "Invoice", tags: [], due: { date: "2026-11-30" }, recurrence: { rule: "FREQ=MONTHLY;INTERVAL=3;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1" } }],
  ["Call on the third wed of every month", { title: "Call", tags: [], due: { date: "2026-12-16" }, recurrence: { rule: "FREQ=MONTHLY;BYDAY=3WE" } }],
  ["Walk every 1st sunday 3 jan", { title: "Walk", tags: [], due: { date: "2027-01-03" }, recurrence: { rule: "FREQ=MONTHLY;BYDAY=1SU" } }],
  ["Vote every first monday of may", { title: "Vote every first of may", tags: [], due: { date: "2026-11-23" } }],
  ["Gym every 2nd mon and wed", { title: "Gym every 2nd and wed", tags: [], due: { date: "2026-11-23" } }],
  ["Read every last mondayish book", { title: "Read every last mondayish book", tags: [] }],
  ["Everything every fridays, every dayly", { title: "Everything every fridays, every dayly", tags: [] }],
  ["Mondayish saturdays todays", { title: "Mondayish saturdays todays", tags: [] }],
];
for (const [text, expected] of quick) {
  const parsed = parseQuickAdd(text, now, projects);
  for (const name of ["title", "tags", "project", "priority", "due", "recurrence"]) same(parsed[name], expected[name], `“${text}” ${name}`);
}
for (const [text, words] of [
  ["Gym every 2nd Tuesday", "every 2nd tuesday of the month"], ["Gym every month on the 2nd tuesday", "every month on the 2nd tuesday"],
]) same(parseQuickAdd(text, now).repeats, words, `“${text}” in words`);
const { readRule } = await load("lib/recurrence.js");
for (const nth of ["1st", "second", "3rd", "fourth", "5th", "last", "2nd last"]) {
  for (const day of ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "weekday"]) {
    const { due, recurrence } = parseQuickAdd(`Meet every ${nth} ${day}`, now);
    same([readRule(recurrence?.rule ?? "")?.monthly.kind, due?.date >= now], ["weekday", true], `every ${nth} ${day} in the form`);
  }
}
for (const [text, due, recurrence] of [
  ["Call at 02:00", { date: "2026-11-22", time: "02:00" }],
  ["Call at 04:00", { date: now, time: "04:00" }],
  ["Call tomorrow 02:00", { date: "2026-11-22", time: "02:00" }],
  ["Call every day 2am", { date: "2026-11-22", time: "02:00" }, { rule: "FREQ=DAILY" }],
  ["Call every sat 2am", { date: now, time: "02:00" }, { rule: "FREQ=WEEKLY;BYDAY=SA" }],
  ["Call every day", { date: now }, { rule: "FREQ=DAILY" }],
]) {
  const parsed = parseQuickAdd(text, now, [], "04:00");
  same([parsed.due, parsed.recurrence], [due, recurrence], `“${text}” of a day that begins at 04:00`);
}
same(parseDue("2:30", now, "04:00"), { date: "2026-11-22", time: "02:30" }, "a time of the night");
same(parseDue("next week", now), { date: "2026-11-23" }, "next week");
same(parseDue("nonsense", now), null, "no date");
same(parseDue("tomorrow and more", now), null, "more than a date");

// Durations
const { durationName, splitMinutes } = await load("lib/durations.js");
for (const [minutes, text] of [[0, "0 minutes"], [1, "1 minute"], [90, "90 minutes"], [120, "2 hours"], [1440, "1 day"], [10080, "1 week"], [11520, "8 days"]]) {
  same(durationName(minutes), text, `${minutes} minutes`);
}
same(splitMinutes(20160), { count: 2, unit: "week" }, "two weeks");
same(dates.weekdayName("MO") + dates.weekdayName("SU", "short"), "MondaySun", "names of weekdays");

// Order
const { between, endPosition, compareText } = await load("lib/order.js");
let [low, high] = [null, null];
let random = 7;
const positions = [];
for (let turn = 0; turn < 2000; turn++) {
  random = (random * 1103515245 + 12345) % 2147483648;
  const place = random % (positions.length + 1);
  [low, high] = [positions[place - 1] ?? null, positions[place] ?? null];
  const position = between(low, high);
  if (low !== null && compareText(low, position) >= 0) wrong.push(`${position} is not after ${low}`);
  if (high !== null && compareText(position, high) >= 0) wrong.push(`${position} is not before ${high}`);
  if (position.endsWith("0")) wrong.push(`${position} ends in 0`);
  positions.splice(place, 0, position);
}
same(compareText(endPosition(1), endPosition(2)), -1, "later positions are behind");
same(endPosition(1_700_000_000_000), endPosition(1_700_000_000_000), "positions of a time");

// Markdown
const { renderMarkdown } = await load("lib/markdown.js");
const html = (text) => {
  const host = document.createElement("div");
  host.append(renderMarkdown(text));
  return new XMLSerializer().serializeToString(host).replace(/ xmlns="[^"]*"/g, "").replace(/^<div>|<\/div>$/g, "");
};
const link = (url, text = url) => `<a rel="noopener noreferrer nofollow" target="_blank" href="${url}">${text}</a>`;
const sorted = (text) => text.replace(/<a ([^>]*)>/g, (_, attributes) => `<a ${attributes.match(/[a-z]+="[^"]*"/g).sort().join(" ")}>`);
const markdown = [
  ["plain", "<p>plain</p>"],
  ["**bold** _it_ *it* `a<b` ~~no~~", "<p><strong>bold</strong> <em>it</em> <em>it</em> <code>a&lt;b</code> <s>no</s></p>"],
  ["snake_case_name and 2*3*4", "<p>snake_case_name and 2<em>3</em>4</p>"],
  ["# One\n## Two", "<h3>One</h3><h4>Two</h4>"],
  ["- a\n- b\n\ntext", "<ul><li>a</li><li>b</li></ul><p>text</p>"],
  ["3. c\n4. d", "<ol start=\"3\"><li>c</li><li>d</li></ol>"],
  ["- a\n  - b\n- c", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"],
  ["  - a\n  - b", "<ul><li>a</li><li>b</li></ul>"],
  ["  - a\n    - b\n      - c", "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li></ul>"],
  ["   1. one\n   2. two", "<ol start=\"1\"><li>one</li><li>two</li></ol>"],
  ["Shopping:\n  - milk\n  - eggs", "<p>Shopping:</p><ul><li>milk</li><li>eggs</li></ul>"],
  ["- a\n\n  - b", "<ul><li>a</li></ul><ul><li>b</li></ul>"],
  ["> a\n>   - b", "<blockquote><p>a</p><ul><li>b</li></ul></blockquote>"],
  ["> q\n> r", "<blockquote><p>q<br />r</p></blockquote>"],
  ["```\n**no**\n```", "<pre tabindex=\"0\"><code>**no**</code></pre>"],
  ["[x](https://e.org/a)", `<p>${link("https://e.org/a", "x")}</p>`],
  ["see https://e.org/a.", `<p>see ${link("https://e.org/a")}.</p>`],
  ["<mailto:a@e.org>", `<p>${link("mailto:a@e.org")}</p>`],
  ["[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"],
  ["[x](JaVaScRiPt:alert)", "<p>[x](JaVaScRiPt:alert)</p>"],
  ["[x](data:text/html,hi)", "<p>[x](data:text/html,hi)</p>"],
  ["<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"],
  ["<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>"],
  ["\\*not\\*", "<p>*not*</p>"],
];
for (const [text, expected] of markdown) same(sorted(html(text)), sorted(expected), `Markdown ${JSON.stringify(text)}`);
const pieces = ["- ", "1. ", "> ", "# ", "```", "---", "[ ] ", "  ", "   ", "\t", "\n", "\n", "a", "**", "`", "[x](", ")"];
for (let turn = 0; turn < 3000; turn++) {
  let text = "";
  for (let length = turn % 24; length > 0; length--) {
    random = (random * 1103515245 + 12345) % 2147483648;
    text += pieces[Math.floor((random / 2147483648) * pieces.length)];
  }
  try {
    html(text);
  } catch (error) {
    wrong.push(`Markdown ${JSON.stringify(text)} throws ${error}`);
    break;
  }
}
const started = performance.now();
for (const evil of [">".repeat(20000), "- ".repeat(10000), "*".repeat(20000), "`".repeat(20000), "[".repeat(20000), "**a".repeat(6000), "_a ".repeat(6000), "# ".repeat(10000), "~~a".repeat(6000)]) html(evil);
if (performance.now() - started > 5000) wrong.push(`hostile Markdown took ${Math.round(performance.now() - started)} ms`);

// The outbox: what it makes of a task, before the server has answered
const { applyOperation } = await load("data/outbox.js");
const at = "2026-11-21T10:00:00Z";
const task = { id: "a", project: "p", parent: null, title: "A", status: "open", position: "V", tags: [], completedAt: null, deletedAt: null };
const apply = (operation, siblings = []) => applyOperation(task, operation, at, () => siblings);
same(apply({ op: "complete" }).completedAt, at, "complete");
same(apply({ op: "update", patch: { title: "B", tags: ["x"] } }).title, "B", "update");
same(apply({ op: "update", patch: { status: "cancelled" } }).completedAt, at, "cancelled is closed");
same(apply({ op: "update", patch: { recurrence: null, due: null } }).recurrence, null, "no longer repeats");
same("scope" in apply({ op: "update", patch: { title: "B", scope: "all" } }), false, "how far a change reaches is no part of a task");
same(apply({ op: "delete", scope: "this" }).deletedAt, at, "skip");
same(apply({ op: "delete" }).deletedAt, at, "delete");
const siblings = [{ id: "x", position: "1" }, { id: "y", position: "5" }, { id: "a", position: "V" }];
same(apply({ op: "move", move: { after: "x" } }, siblings).position > "1" && apply({ op: "move", move: { after: "x" } }, siblings).position < "5", true, "move after");
same(apply({ op: "move", move: { before: "x" } }, siblings).position < "1", true, "move before");
same(apply({ op: "move", move: { after: null } }, siblings).position < "1", true, "move to the front");
const later = applyOperation(null, { op: "create", localId: "n", task: { title: "N" } }, "2026-11-21T10:00:01Z", () => []);
for (const move of [{ after: "y" }, { before: null }]) {
  const { position } = apply({ op: "move", move }, siblings);
  same(position > "5" && position < later.position, true, `move to the end, before what is added later: ${position}`);
  same(apply({ op: "move", move }, [{ id: "y", position: later.position }]).position > later.position, true, "move to the end, behind all");
}
same(apply({ op: "move", move: { project: "q" } }).project, "q", "move to a project");

// Addresses of views
const { defineView, parseRoute, writeRoute, quoted } = await load("data/views.js");
for (const route of ["#/today", "#/project/1-2", "#/search?q=a+b", "#/inbox?status=any&priority=high", "#/tag/caf%C3%A9", "#/tag/task", "#/today/task/1-2", "#/project/1-2/task/3?due=week"]) same(writeRoute(parseRoute(route)), route, `route ${route}`);
same(parseRoute("").name, "today", "no route");
same(parseRoute("#/inbox?evil=1").filters, {}, "unknown filters");
same(quoted('a "b" \\c'), '"a \\"b\\" \\\\c"', "quoted");

// Views of days: Kiritimati is 14 hours ahead of UTC, and Pago Pago 11 behind.
const { store } = await load("data/store.js");
store.me = { id: "u", zone: "UTC", dayStart: "00:00" };
const [todayView, upcomingView] = ["today", "upcoming"].map((name) => defineView(parseRoute(`#/${name}`)));
const day = todayView.key.replace("today ", "");
const kept = [
  [{ date: day }, "today"], [{ date: dates.addDays(day, 1) }, "upcoming"], [{ date: dates.addDays(day, -1) }, "overdue"],
  [{ date: dates.addDays(day, 1), time: "00:30", zone: "Pacific/Kiritimati" }, "today"],
  [{ date: day, time: "13:30", zone: "Pacific/Kiritimati" }, "overdue"],
  [{ date: day, time: "13:30", zone: "Pacific/Pago_Pago" }, "upcoming"],
];
for (const [due, place] of kept) {
  const task = { status: "open", tags: [], due };
  same([todayView.matches(task), upcomingView.matches(task)], [place !== "upcoming", place !== "overdue"], `where ${JSON.stringify(due)} is shown`);
  if (place !== "upcoming") same(todayView.groupOf(task), place === "today" ? "Today" : "Overdue", `the group of ${JSON.stringify(due)}`);
  else same(upcomingView.groupOf(task).startsWith("Tomorrow"), true, `the group of ${JSON.stringify(due)}`);
}

// A day that begins while a view is open: a query is asked anew, and what the page decides itself is only drawn anew.
const { TaskView } = await load("data/task-view.js");
let asked = 0;
globalThis.fetch = async () => {
  asked++;
  return Response.json({ items: [], nextCursor: null });
};
for (const [matches, count] of [[null, 2], [() => true, 1]]) {
  asked = 0;
  let changes = 0;
  const view = new TaskView(store, { key: "units", parameters: {}, matches, compare: () => 0 }, new Set());
  const isRead = async () => {
    while (view.isLoading) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await isRead();
  view.addEventListener("change", () => changes++);
  view.renew();
  await isRead();
  view.close();
  same([asked, changes > 0], [count, true], `another day for a view that is ${matches ? "kept whole" : "a query"}`);
}

const { parseCursor, writeCursor } = await load("data/live.js");
same(writeCursor(parseCursor("u:5,v:12")), "u:5,v:12", "cursor");

return wrong;
