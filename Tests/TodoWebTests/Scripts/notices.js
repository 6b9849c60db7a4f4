// Runs in the page: `assets` is the address of its modules. Gives a list of what is wrong; nothing when all is right.

const wrong = [];
function same(actual, expected, what) {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) wrong.push(`${what}: ${left}, not ${right}`);
}
await import(`${assets}/parts/reminder-notices.js`);
const { store } = await import(`${assets}/data/store.js`);

// A connection that only says what it is told to.
const live = new EventTarget();
const notices = document.body.appendChild(document.createElement("reminder-notices"));
notices.watch(live);
let seq = 0;
const task = (id, changes) => ({ id, user: "u", project: "p", title: `Task ${id}`, status: "open", due: null, tags: [], deletedAt: null, seq: ++seq, ...changes });
const tell = (kind, reminder, about) => live.dispatchEvent(new CustomEvent("reminder", { detail: { type: `dev.todo-operator.reminder.${kind}`, subject: reminder.id, data: { user: "u", reminder, task: about ?? null } } }));
const fire = (id, name, changes) => tell("fired", { id, task: name, reminder: `r-${name}`, policy: null, late: false, dueAt: "2026-11-21T09:00:00Z", channels: [], digest: null, ...changes }, task(name));
const titles = () => [...notices.querySelectorAll(".notice-card")].map((card) => card.getAttribute("aria-label"));
const settled = () => new Promise((resolve) => setTimeout(resolve));

fire("1", "a");
same(titles(), ["Task a"], "one");
same(notices.querySelectorAll("[role=alert]").length, 1, "it is said");
same([...notices.querySelectorAll("button")].map((button) => button.getAttribute("aria-label") ?? button.textContent), ["Task a", "Done: Task a", "Snooze: Task a", "Dismiss: Task a"], "what can be done");
fire("1", "a");
same(titles(), ["Task a"], "told twice");
fire("2", "b");
fire("3", "c");
fire("4", "d");
same(titles(), ["Task d", "Task c", "Task b"], "the newest on top, and no more than three");
same(notices.textContent.includes("1 more reminder"), true, "that there are more is said");
fire("5", "b");
same(titles(), ["Task b", "Task d", "Task c"], "one that comes again takes the place of the one before");
notices.focus();
tell("acknowledged", { id: "5" });
same(titles(), ["Task d", "Task c", "Task a"], "dealt with elsewhere");
same(notices.contains(document.activeElement), true, "the focus goes to the next");
tell("snoozed", { id: "4" });
store.putTasks([task("c", { status: "done" })]);
await settled();
same(titles(), ["Task a"], "what is done is not reminded of");
tell("fired", { id: "6", task: "c", reminder: "r", channels: [] }, task("c", { status: "done" }));
fire("7", "e", { channels: ["email"] });
same(titles(), ["Task a"], "what is done, or goes elsewhere, is not shown");
fire("8", "f", { channels: ["in-app", "email"], late: true });
same(notices.querySelector(".is-late")?.textContent.startsWith("Late: it was meant for 21 Nov 2026"), true, "late");
tell("fired", { id: "9", task: null, policy: "p", channels: [], digest: [task("g"), task("h")] });
same(titles()[0], "Reminder of 2 tasks", "a digest");
same([...notices.querySelector(".notice-card").querySelectorAll("button")].map((button) => button.textContent), ["Task g", "Task h", "Dismiss"], "a digest is read, not done");

// What is dealt with while those that were missed are being read does not come back with them.
const { api } = await import(`${assets}/data/api.js`);
const before = titles();
let tellMissed;
const missed = new Promise((resolve) => (tellMissed = resolve));
api.plannedReminders = ({ state }) => (state === "fired" ? missed : Promise.resolve([]));
api.reminders = api.acknowledge = async () => [];
live.dispatchEvent(new CustomEvent("state", { detail: "live" }));
fire("20", "x");
same(titles()[0], "Task x", "one while they are being read");
notices.querySelector('[aria-label="Dismiss: Task x"]').click();
await settled();
same(titles(), before, "dismissed");
tellMissed([{ id: "20", task: "x", reminder: "r-x", policy: null, late: false, dueAt: "2026-11-21T09:00:00Z", digest: null }]);
await settled();
same(titles(), before, "for good");

// What is behind an open dialog could not be reached.
const dialog = document.body.appendChild(document.createElement("dialog"));
dialog.showModal();
fire("10", "i");
same(dialog.contains(notices), true, "inside of the dialog");
notices.close();
fire("11", "j");
same(document.querySelector("reminder-notices"), null, "after the end");
dialog.remove();

return wrong;
