// Runs in the page after server.js: answers that come later than what the person did meanwhile. Gives a list of what is
// wrong; nothing when all is right.

/** The calls of an operation of the API from now on, each of which waits until it is answered here. */
function hold(name) {
  const calls = [];
  api[name] = () => new Promise((resolve, reject) => calls.push({ resolve, reject }));
  return calls;
}
async function next(calls, what) {
  await until(() => calls.length > 0, `asked for ${what}`);
  return calls.shift();
}
/** Long enough for what must not happen. */
const moment = () => pause(50);

// Whoever is invited, or may do something else, is not drawn over by an older list of members.
projects.push({ ...inbox, id: "g", name: "Garden", isInbox: false, seq: ++seq });
store.putProject(projects[1]);
location.hash = "#/project/g";
await until(() => title() === "Garden", "the project");
const member = (name, role) => ({ user: name, name, email: `${name}@example.com`, role });
const bob = (role) => [member("Ada", "owner"), member("Bob", role)];
const rows = () => [...document.querySelectorAll("dialog .members li")];
const roles = () => rows().map((row) => row.querySelector("select")?.value);
const isShown = (...wanted) => until(() => JSON.stringify(roles()) === JSON.stringify(wanted), `roles ${wanted}`);
function choose(role) {
  const select = find("dialog .members select");
  select.value = role;
  select.dispatchEvent(new Event("change"));
}
const members = hold("members");
const changes = hold("updateMember");
api.invite = api.removeMember = async () => {};
find("#project-actions").click();
button("Share").click();
const beforeInvitation = await next(members, "the members");
find("dialog .invite input").value = "bob@example.com";
find("dialog .invite").requestSubmit();
(await next(members, "who was invited")).resolve([...bob("editor"), member("Eve", "viewer")]);
await isShown(null, "editor", "viewer");
beforeInvitation.resolve([member("Ada", "owner")]);
await moment();
same(roles(), [null, "editor", "viewer"], "the first answer is old");
find('dialog [aria-label="Remove Eve"]').click();
const beforeChange = await next(members, "those who stay");
choose("viewer");
beforeChange.resolve(bob("editor"));
await moment();
same(roles()[1], "viewer", "what was chosen meanwhile stays");
(await next(changes, "another role")).resolve();
(await next(members, "the other role")).resolve(bob("viewer"));
await isShown(null, "viewer");
// What is refused does not hold, and is not shown as if it did.
choose("editor");
(await next(changes, "another role")).reject(new Error("You may not."));
(await next(members, "the role as it is")).resolve(bob("viewer"));
await isShown(null, "viewer");
same(find("dialog .members ~ .form-error").textContent, "You may not.", "why");
find("dialog[open] .dialog-close").click();
await until(() => !find("dialog"), "the end of the dialog");

// Nor is a token that was just made.
const tokens = hold("tokens");
api.createToken = async () => ({ token: "secret" });
location.hash = "#/settings";
const beforeToken = await next(tokens, "the tokens");
const form = find("settings-view input[name=expiresAt]").form;
const names = () => [...form.parentElement.querySelectorAll(".members strong")].map((each) => each.textContent);
form.elements.namedItem("name").value = "Script";
form.requestSubmit();
const made = { id: "t", name: "Script", kind: "personal", scopes: [], expiresAt: null };
(await next(tokens, "the new one")).resolve([made]);
await until(() => names().length === 1, "the token");
beforeToken.resolve([]);
await moment();
same(names(), ["Script"], "the first answer is old");
location.hash = "#/inbox";
await until(() => title() === "Inbox", "the list");

// With a reminder goes the button that had the focus. Whoever has gone on meanwhile keeps it.
const reminders = hold("reminders");
const removals = hold("deleteReminder");
const remove = () => find("dialog .reminders button");
for (const goesOn of [false, true]) {
  openEditor("a");
  (await next(reminders, "the reminders")).resolve([{ id: "r", offset: 10, before: "due", channels: [] }]);
  await until(remove, "a reminder");
  remove().focus();
  remove().click();
  if (goesOn) find("dialog .editor-title").focus();
  (await next(removals, "the removal")).resolve();
  (await next(reminders, "those that stay")).resolve([]);
  await until(() => !remove(), "the end of the reminder");
  await moment();
  const focused = document.activeElement;
  same(focused.className, goesOn ? "editor-title" : "button quiet", "what has the focus");
  await close();
}

// A project that becomes known while all are being read is not forgotten, and neither is a filter.
const wholes = hold("projects");
const shared = { id: "e-shared", type: "dev.todo-operator.project.shared", data: { user: "v", seq: 1, project: {} } };
sockets.at(-1).say({ type: "event", event: shared });
const beforeProject = await next(wholes, "the projects");
store.putProject({ ...inbox, id: "h", name: "House", isInbox: false, seq: ++seq });
tell(write("k", { project: "h" }));
await until(() => store.task("k"), "its task");
beforeProject.resolve(projects);
const again = await next(wholes, "the projects once more");
same([store.projects.has("h"), store.task("k")?.project], [true, "h"], "the first answer is old");
again.resolve([...projects, store.projects.get("h")]);
await moment();
same([store.projects.has("h"), wholes.length], [true, 0], "all of them");
const filters = hold("filters");
const reading = store.loadFilters();
const beforeFilter = await next(filters, "the filters");
store.putFilter({ id: "f", name: "Soon", query: "due:today" });
beforeFilter.resolve([]);
(await next(filters, "the filters once more")).resolve([store.filters.get("f")]);
await reading;
same([...store.filters.keys()], ["f"], "the filter");

// Of two tasks that are still to be read, the one that was asked for last opens, whichever comes first.
const reads = hold("task");
openEditor("first");
openEditor("last");
(await next(reads, "the first")).resolve(write("first", { status: "done" }));
await moment();
same(find("dialog"), null, "nobody waits for the first any more");
(await next(reads, "the last")).resolve(write("last", { status: "done" }));
await until(() => find("dialog.editor .dialog-title")?.textContent === "last", "the last");
await close();
localStorage.clear();

return wrong;
