// Runs in the page after server.js: the addresses of views and sheets. Gives a list of what is wrong.

// Whoever goes back with a sheet open has what is below it, and what was typed is saved.
location.hash = "#/today";
await until(() => title() === "Today", "another view");
describe("on the way");
same(location.hash, "#/today/task/a", "the sheet has an address");
history.back();
await until(() => !find("dialog"), "the end of the sheet");
await isSaved();
same([tasks.get("a").description, title(), location.hash], ["on the way", "Today", "#/today"], "saved on the way");
history.forward();
await until(() => find("dialog.editor"), "the sheet once more");
// Sheets that were closed otherwise are nothing to go back to.
await close();
for (const id of ["a", "a"]) {
  openEditor(id);
  await close();
}
same(location.hash, "#/today", "closed");
history.back();
await until(() => title() === "Inbox", "the view before");
await pause(50);
same([location.hash, find("dialog")], ["#/inbox", null], "without a sheet");

// A link opens a task that no list has, also another one on top of a view; a wrong one says so and leaves the view.
write("far", { status: "done", title: "Far away" });
location.hash = "#/tag/task/task/far";
await until(() => find("dialog.editor"), "a task by its link");
same([title(), find("dialog.editor .dialog-title").textContent, location.hash], ["#task", "Far away", "#/tag/task/task/far"], "by a link");
await close();
for (const view of ["#/inbox", "#/activity"]) {
  location.hash = `${view}/task/nowhere`;
  await until(() => location.hash === view && find("undo-toast")?.textContent.includes("This task is gone"), "a link to nothing");
}
location.hash = "#/inbox";
await until(() => title() === "Inbox", "the list");
location.hash = "#/inbox/task/busy";
await until(() => find("undo-toast")?.textContent.includes("Try later."), "a task that is there, but cannot be read now");

// A sheet that closes while a link is being read, by the person or by the link, leaves the link as it is.
const readNow = api.task;
for (const view of ["#/inbox", "#/today"]) {
  const id = `slow-${view.slice(2)}`;
  const link = `${view}/task/${id}`;
  write(id, { status: "done" });
  openEditor("a");
  let goOn;
  api.task = (each) => new Promise((resolve) => (goOn = resolve)).then(() => readNow(each));
  location.hash = link;
  await until(() => goOn, "the link is being read");
  if (view === "#/inbox") find("dialog.editor[open] .dialog-close").click();
  await until(() => !find("dialog"), "the end of the sheet before");
  same(location.hash, link, "the link stays");
  goOn();
  await until(() => find("dialog.editor .dialog-title")?.textContent === id, "the task of the link");
  await close();
  same(location.hash, view, "and goes with its own sheet");
}
api.task = readNow;
location.hash = "#/inbox";
await until(() => title() === "Inbox", "the list");

// Nor does a sheet that was closed in the same view before take the link for a step back.
openEditor("a");
await close();
location.hash = "#/inbox/task/far";
await until(() => find("dialog.editor .dialog-title")?.textContent === "Far away", "the task of the link");
await pause(50);
same([location.hash, Boolean(find("dialog.editor[open]"))], ["#/inbox/task/far", true], "it stays");
await close();

// An address may be of nothing.
for (const nowhere of ["#/tag/%E0%A4%A", "#/constructor", "#/__proto__", "#/project/x", "#/nowhere"]) {
  location.hash = nowhere;
  await until(() => title() === (nowhere.startsWith("#/tag") ? "#%E0%A4%A" : "There is nothing here"), nowhere);
  location.hash = "#/inbox";
  await until(() => title() === "Inbox", `back from ${nowhere}`);
}
localStorage.clear();

return wrong;
