// Runs in the page after server.js. Gives a list of what is wrong; nothing when all is right.

// What the person does before and after, without a network, does not stand in the way of a description.
isAway = true;
actions.update([store.task("a")], { priority: "high" });
describe("first");
leave();
describe("second");
await close();
isAway = false;
store.outbox.flush();
await isSaved();
same([tasks.get("a").priority, tasks.get("a").description], ["high", "second"], "on top of the person's own changes");

// Somebody else's text comes while the person is writing: none of the two is lost.
describe("mine");
tell(write("a", { description: "theirs" }));
await until(() => store.task("a").description === "theirs", "news");
leave();
await isSaved();
same(tasks.get("a").description, "theirs", "theirs is not overwritten");
same([field().value, find("dialog.editor .markdown").textContent], ["mine", "theirs"], "both are shown");

// Mine is a draft until the person chooses: left, closed and opened again.
const type = (text) => {
  field().focus();
  field().value = text;
  field().dispatchEvent(new Event("input"));
};
const draft = () => [find("dialog.editor") && !field().closest("[hidden]") && field().value, tasks.get("a").description];
type("mine, too");
leave();
await close();
await pause(100);
same([store.outbox.entries.length, ...draft()], [0, null, "theirs"], "closing writes nothing");
openEditor("a");
same(draft(), ["mine, too", "theirs"], "and loses nothing");
find("dialog.editor .markdown").click();
same(draft(), ["mine, too", "theirs"], "nor by a click on the other");
button("Discard my draft").click();
same(draft(), [false, "theirs"], "discarded");
button("Undo").click();
same(draft(), ["mine, too", "theirs"], "after all not");
button("Save my draft").click();
await isSaved();
same(draft(), [false, "mine, too"], "saved");
await close();
openEditor("a");
same(draft(), [false, "mine, too"], "and no draft any more");

// The same after the sheet was closed.
describe("mine again");
isAway = true;
await close();
write("a", { description: "theirs again" });
isAway = false;
store.outbox.flush();
await until(() => find("dialog.editor") && !field().closest("[hidden]"), "the sheet opens");
same([field().value, tasks.get("a").description], ["mine again", "theirs again"], "the text is given back");
// Whoever saves the draft on top of what yet another has written meanwhile has it back once more.
write("a", { description: "another" });
button("Save my draft").click();
await until(() => find("dialog.editor .markdown").textContent === "another", "the other one");
same(draft(), ["mine again", "another"], "both once more");
button("Discard my draft").click();
await close();

// A year that is typed is one change, not one for each digit.
openEditor("a");
const start = find("dialog.editor input[type=date]");
const version = tasks.get("a").version;
for (const year of ["0002", "0020", "0203", "2030"]) {
  start.value = `${year}-03-03`;
  start.dispatchEvent(new Event("change"));
  await isSaved();
}
same([tasks.get("a").start, tasks.get("a").version], ["2030-03-03", version + 1], "start");
await close();

// The second press of a double click is not one beside the sheet that the first has opened.
openEditor("a");
const press = (detail) => find("dialog").dispatchEvent(new MouseEvent("mousedown", { detail, clientX: 1, clientY: 1 }));
press(2);
same(find("dialog").open, true, "the sheet stays");
press(1);
await until(() => !find("dialog"), "a press beside it closes it");

// What is being typed is not lost with the page.
describe("just before");
dispatchEvent(new Event("pagehide"));
same(store.outbox.entries.length, 1, "in the outbox at once");
await isSaved();
same(tasks.get("a").description, "just before", "saved");
await close();

// A line that is too long for a title is cut where that is no harm.
const line = find("quick-add input");
const words = "x".repeat(499) + "\u{1F600} and more";
isAway = true;
line.value = words;
line.form.requestSubmit();
const added = store.outbox.entries[0].operations[0].task;
same([added.title.length, added.title.isWellFormed(), added.description], [500, true, words], "nothing is lost");
store.outbox.takeBack(store.outbox.entries[0]);
isAway = false;
await isSaved();

// What waits and cannot be kept by the browser is not left without a question.
const isAsked = () => !dispatchEvent(new Event("beforeunload", { cancelable: true }));
const { setItem } = Storage.prototype;
isAway = true;
actions.update([store.task("a")], { priority: "high" });
same(isAsked(), false, "it is kept");
Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
actions.update([store.task("a")], { priority: "none" });
same(isAsked(), true, "it would be lost");
Storage.prototype.setItem = setItem;
isAway = false;
store.outbox.flush();
await isSaved();
same([isAsked(), tasks.get("a").priority], [false, "none"], "saved");

// What is sent twice, or given up on the way, is not done twice, or at all.
let sent = 0;
const quickly = globalThis.fetch;
globalThis.fetch = async (path, options) => {
  if (options.method === "POST") sent += 1;
  await pause(100);
  return quickly(path, options);
};
openEditor("a");
button("Add a reminder").click();
button("1 hour before").click();
button("1 hour before").click();
await until(() => !find(".popover"), "the reminder is made");
same(sent, 1, "one reminder");
const { chooseRecurrence } = await import(`${assets}/parts/task-recurrence.js`);
const choices = () => find(".recurrence-form select");
function repeatDaily() {
  chooseRecurrence(store.task("a"));
  choices().value = "daily";
  choices().dispatchEvent(new Event("change", { bubbles: true }));
  choices().form.requestSubmit();
}
repeatDaily();
await pause(20);
button("Cancel").click();
await pause(300);
same([store.outbox.entries.length, tasks.get("a").recurrence], [0, null], "it was given up");
repeatDaily();
choices().form.requestSubmit();
await until(() => tasks.get("a").recurrence, "it repeats");
await isSaved();
globalThis.fetch = quickly;
actions.update([store.task("a")], { due: null });
await isSaved();
await close();

// What is said while a sheet is open is said in it: all else is inert.
openEditor("a");
const tag = find("dialog.editor .tag-input");
tag.value = "home";
tag.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
same(find("dialog.editor [role=log]")?.textContent, "Tag home added", "inside of the sheet");
await isSaved();

// A panel that is left by the keyboard covers nothing.
button("No due date").click();
find("dialog.editor .editor-title").focus();
await until(() => !find(".popover"), "the end of the panel");
same(document.activeElement.className, "editor-title", "the focus stays where it went");
await close();
actions.update([store.task("a")], { tags: [] });
await isSaved();
same(find("[role=log]"), null, "nothing is left of it");

// News do not take away what somebody is choosing from.
openEditor("a");
const option = find("dialog.editor option[value=p]");
tell(write("a", { priority: "low" }));
await until(() => find("dialog.editor task-priority").value === "low", "news in the sheet");
same([option.isConnected, option.parentElement?.value], [true, "p"], "the projects stay");
store.putProject({ ...inbox, id: "q", name: "Garden", isInbox: false, seq: 2 });
tell(write("a", { priority: "none" }));
await until(() => find("dialog.editor option[value=q]"), "another project");
same([...find("dialog.editor option[value=q]").parentElement].map((each) => each.text), ["Inbox", "Garden"], "another one");
store.dropProject("q");
await close();

// Words longer than a line, and such as are read from the right.
const long = "A" + "very".repeat(40) + "long";
tell(write("a", { title: long }));
tell(write("b", { title: "\u05e9\u05dc\u05d5\u05dd!" }));
tell(write("c", { title: "Below", parent: "a" }));
await until(() => store.task("c"), "news");
openEditor("c");
await pause(50);
const { confirm } = await import(`${assets}/parts/overlay.js`);
confirm(long, "Sure");
const tooWide = () => [...document.querySelectorAll("dialog *")].filter((each) => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX === "auto");
same(tooWide().map((each) => each.className), [], "nothing is to be scrolled sideways");
button("Cancel").click();
await close();
tell(write("a", { description: `\`\`\`\n${long}\n\`\`\`\n\nBelow` }));
openEditor("a");
same(find("dialog.editor .markdown p").offsetWidth < find("dialog.editor").offsetWidth, true, "a line of code widens nothing else");
await close();
const row = [...document.querySelectorAll("task-list .title")].find((each) => each.textContent.endsWith("!")).firstChild;
const leftOf = (index) => {
  const range = document.createRange();
  range.setStart(row, index);
  range.setEnd(row, index + 1);
  return range.getBoundingClientRect().left;
};
same(leftOf(4) < leftOf(0), true, "the end is at the left");
tell(write("a", { title: "a" }));
for (const id of ["b", "c"]) tell(write(id, { status: "done" }));

// Undo that gets no answer can be had again, as the same request, and undoes nothing else.
actions.complete([store.task("a")]);
await isSaved();
const operation = `o${seq}`;
isAway = true;
await actions.undoLast();
same(tasks.get("a").status, "done", "no network");
same(find("undo-toast .toast span").textContent, "It could not be undone: The server does not answer.", "in words");
isAway = false;
losesAnswers = true;
await actions.undoLast();
losesAnswers = false;
await actions.undoLast();
same([tasks.get("a").status, store.task("a").status], ["open", "open"], "undone after all");
same(undone.map(([each]) => each), [operation, operation], "nothing else is undone");
same(undone[0][1], undone[1]?.[1], "the same request");

// An answer that would be too large leaves tasks out: they are what they were to become, until the news tell more.
isFull = true;
actions.update([store.task("a")], { priority: "urgent" });
await isSaved();
same([store.task("a").priority, store.task("a").seq < seq], ["urgent", true], "as it was written");
tell(write("a", { priority: "none", title: "renamed" }));
await until(() => store.task("a").title === "renamed", "the news");
same(store.task("a").priority, "none", "as it is now");
const quick = api.bulk;
api.bulk = async (...request) => {
  const answer = await quick(...request);
  tell(write("a", { title: "a" }));
  await pause(20);
  return answer;
};
actions.update([store.task("a")], { title: "late" });
await isSaved();
api.bulk = quick;
same(store.task("a").title, "a", "younger news are not written over");
isFull = false;

// A project that is thrown away comes back with its tasks: by undo, by a key, and from the bin.
projects.push({ ...inbox, id: "g", name: "Garden", isInbox: false, seq: ++seq });
store.putProject(projects[1]);
tell(write("d", { project: "g" }));
location.hash = "#/project/g";
const isThere = () => until(() => title() === "Garden" && find("task-list .row .title")?.textContent === "d", "the project with its task");
for (const bringBack of [
  () => button("Undo").click(),
  () => dispatchEvent(new KeyboardEvent("keydown", { key: "z", ctrlKey: true })),
  async () => {
    location.hash = "#/bin";
    await until(() => find("deleted-projects button"), "the project in the bin");
    find("deleted-projects button").click();
  },
]) {
  await isThere();
  find("#project-actions").click();
  button("Delete the project").click();
  await until(() => title() === "Inbox", "the project is gone");
  same([find("undo-toast .toast span").textContent, store.task("d")], ["Project “Garden” and its tasks moved to the bin", undefined], "and its task");
  await bringBack();
}
await isThere();
same(projects[1].deletedAt, null, "there, too");
location.hash = "#/inbox";
await until(() => title() === "Inbox", "the inbox again");

// Settings of another window stay.
const { preferences, setPreference } = await import(`${assets}/preferences.js`);
localStorage.setItem("todo.preferences", JSON.stringify({ theme: "dark", collapsed: ["x"] }));
setPreference("shortcuts", false);
const kept = JSON.parse(localStorage.getItem("todo.preferences"));
same([kept.theme, kept.collapsed, kept.shortcuts, preferences.theme], ["dark", ["x"], false, "dark"], "settings");
localStorage.setItem("todo.preferences", JSON.stringify({ theme: "light", collapsed: ["y"] }));
dispatchEvent(new StorageEvent("storage", { key: "todo.preferences" }));
same([document.documentElement.dataset.theme, preferences.collapsed], ["light", ["y"]], "chosen in another window");
setPreference("theme", "system");
setPreference("shortcuts", true);

// What a row is called is what it says, and not the names of all its buttons.
tell(write("a", { title: "Call", priority: "high", tags: ["phone"], due: { date: "2001-02-03" }, description: "Soon" }));
await until(() => find("#row-a")?.ariaLabel === "Call, Description, phone, High, 3 Feb 2001, Overdue", "a row by its name");

// What could not be read for want of a network is read when it is asked for once more.
isAway = true;
location.hash = "#/activity";
await until(() => button("Try again"), "no activity");
isAway = false;
button("Try again").click();
await until(() => find("activity-view .list-status").textContent === "Nothing has happened yet.", "the activity");
same(button("Show more").hidden, true, "there is no more");
location.hash = "#/inbox";
await until(() => title() === "Inbox", "the list");

// What is being typed is not lost either when everything is read anew, nor does a sheet stay.
describe("before a restore");
sockets.at(-1).onclose({ code: 4410 });
same(location.hash, "#/inbox", "no sheet comes back with the page");
await until(() => find("connection-state")?.dataset.state === "live" && !find("dialog"), "everything anew");
await until(() => tasks.get("a").description === "before a restore" && store.task("a"), "saved, and shown again");

// Whoever signs out in another window has left this one, too.
const tellAccount = (id) => dispatchEvent(new StorageEvent("storage", { key: "todo.account", newValue: id }));
tellAccount("");
same([find("sign-in .notice")?.textContent.startsWith("Your session has ended"), store.me], [true, null], "signed out elsewhere");
find("sign-in input[type=email]").value = "ada@example.com";
find("sign-in input[type=password]").value = "correct horse";
button("Sign in").click();
await until(() => find("connection-state")?.dataset.state === "live" && find("task-list .row"), "signed in again");

// Somebody else signs in in another window. What the one before was at is kept, and nobody else sees it.
isAway = true;
actions.complete([store.task("a")]);
same(find("undo-toast .toast span").textContent, "Task completed", "said to the one who did it");
document.activeElement.blur();
describe("half a sentence");
same(localStorage.getItem("todo.account"), "u", "whose session it is");
tellAccount("u");
same(find("sign-in"), null, "the same person");
tellAccount("v");
const address = () => find("sign-in input[type=email]");
same([find("sign-in .notice")?.textContent.includes("another tab"), store.me], [true, null], "somebody else");
const waiting = Object.keys(localStorage).filter((key) => key.startsWith("todo.outbox.u.")).map((key) => localStorage.getItem(key));
same(waiting.map((text) => text.includes("half a sentence")), [true], "what was typed waits for the one who typed it");
same(find("undo-toast .toast"), null, "nothing is said of it any more");
isAway = false;
address().value = "ada@example.com";
button("New here? Create an account").click();
same([address().value, find("sign-in input[name=name]") !== null], ["ada@example.com", true], "the address is not asked for twice");

// Of who is erased nothing stays in the browser, in whichever window that was done; of others everything does.
localStorage.setItem("todo.draft.v.a", "another's");
for (const tellErased of [
  async () => {
    location.hash = "#/settings";
    await until(() => button("Erase the account"), "the settings");
    button("Erase the account").click();
    find("dialog[open] input[type=password]").value = "correct horse";
    isAway = false;
    find("dialog[open] form").requestSubmit();
    await until(() => find("sign-in"), "the end of the session");
  },
  () => tellAccount(null),
]) {
  find("sign-in").dispatchEvent(new CustomEvent("signed-in"));
  await until(() => find("task-list") && store.outbox.entries.length === 0, "signed in again, with all that waited sent");
  store.putTasks([write("a", { status: "open" })]);
  isAway = true;
  store.outbox.add([{ op: "complete", id: "a" }], "done");
  keepDraft("a", "private");
  describe("half a sentence");
  await tellErased();
  isAway = false;
  await pause(50);
  const left = Object.keys(localStorage).filter((key) => key !== "todo.preferences");
  same([find("sign-in") !== null, left], [true, ["todo.draft.v.a"]], "nothing of an account that is erased");
}
localStorage.clear();

return wrong;
