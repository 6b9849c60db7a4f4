// Before page.js and addresses.js: the page with a server that is part of the script, and what they do with it.

const wrong = [];
function same(actual, expected, what) {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) wrong.push(`${what}: ${left}, not ${right}`);
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(condition, what) {
  for (const end = Date.now() + 8000; Date.now() < end; await pause(20)) if (condition()) return;
  wrong.push(`${what}: not within 8 s`);
}
const find = (selector) => document.querySelector(selector);
const button = (text) => [...document.querySelectorAll("button")].findLast((each) => each.textContent.trim() === text);

// A server in the page, with a network that can be cut.
const tasks = new Map();
const sockets = [];
const undone = [];
let [isAway, losesAnswers, failures, seq] = [false, false, 0, 1];
const ada = { id: "u", name: "Ada", email: "ada@example.com", zone: "UTC", dayStart: "00:00" };
const inbox = { id: "p", user: "u", name: "Inbox", isInbox: true, role: "owner", position: "a", seq: 1 };
function write(id, patch) {
  const now = new Date().toISOString();
  const made = {
    id, user: "u", project: "p", title: id, description: "", status: "open", priority: "none", due: null, start: null,
    estimate: null, recurrence: null, tags: [], parent: null, position: id, createdAt: now, deletedAt: null, version: 0,
  };
  const task = { ...made, ...tasks.get(id), ...patch, updatedAt: now, seq: ++seq };
  task.version += 1;
  tasks.set(id, task);
  return task;
}
const projects = [inbox];
/** One that is deleted or restored, with its tasks. */
function writeProject(id, deletedAt) {
  const project = projects.find((each) => each.id === id);
  for (const task of [...tasks.values()].filter((each) => each.project === id)) write(task.id, { deletedAt });
  return Object.assign(project, { deletedAt, seq: ++seq });
}
/** The same request twice has one effect and one answer. */
const answers = new Map();
function once(key, make) {
  if (!answers.has(key)) answers.set(key, make());
  return answers.get(key);
}
let isFull = false;
function bulk([{ op, id, ifMatch, patch }]) {
  if (ifMatch && ifMatch !== `"${tasks.get(id).version}"`) return [412, { detail: "changed since" }];
  const task = write(id, op === "complete" ? { status: "done" } : patch);
  return [200, { results: [{ id, version: task.version, ...(!isFull && { task }) }] }];
}
function undo({ operation }, key) {
  undone.push([operation, key]);
  return [200, { tasks: [write("a", { status: "open" })] }];
}
function answer(path, body, headers, method, query) {
  if (path === "/v1/me") return [200, ada];
  if (path === "/v1/me/erase") {
    // Whoever listens may hear of it before the one who asked.
    sockets.at(-1).onclose({ code: 4401 });
    return [200, null];
  }
  if (path === "/v1/changes") return [200, { items: [], cursor: `u:${seq}`, more: false }];
  if (path === "/v1/projects") return [200, { items: projects.filter((each) => Boolean(each.deletedAt) === (query === "deleted=true")) }];
  if (path.startsWith("/v1/projects/")) return [200, writeProject(path.split("/")[3], method === "DELETE" ? new Date().toISOString() : null)];
  if (path === "/v1/tasks/bulk") return once(headers["Idempotency-Key"], () => bulk(body.operations));
  if (path === "/v1/undo") return undo(body, headers["Idempotency-Key"]);
  if (path === "/v1/tasks" && failures-- > 0) return [503, { detail: "starting" }, { "Retry-After": "1" }];
  if (path === "/v1/tasks") return [200, { items: [...tasks.values()].filter((each) => each.status === "open" && !each.deletedAt) }];
  const [, id] = /^\/v1\/tasks\/([^/]+)$/.exec(path) ?? [];
  if (id === "busy") return [503, { detail: "Try later." }];
  if (id) return tasks.has(id) ? [200, tasks.get(id)] : [404, { detail: "There is no such task." }];
  return [200, { items: [] }];
}
globalThis.fetch = async (path, { body, headers, method }) => {
  await pause(1);
  if (isAway) throw new TypeError("no network");
  const [status, value, more] = answer(path.split("?")[0], body && JSON.parse(body), headers, method, path.split("?")[1]);
  if (losesAnswers) throw new TypeError("no answer");
  return new Response(JSON.stringify(value), { status, headers: { ...more, "Todo-Operation": `o${seq}` } });
};
globalThis.WebSocket = class {
  constructor() {
    sockets.push(this);
    setTimeout(() => this.onopen?.());
  }
  send() {
    this.say({ type: "ready", cursor: `u:${seq}` });
  }
  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  close() {}
};
const tell = (task) => sockets.at(-1).say({
  type: "event", event: { id: `e${task.seq}`, type: "dev.todo-operator.task.updated", data: { user: "u", seq: task.seq, task } },
});

// A list that the server cannot give yet is there a moment later.
write("a", { description: "old" });
failures = 1;
location.hash = "#/inbox";
await until(() => button("Try again"), "the page without a server");
button("Try again").click();
await until(() => document.querySelectorAll("task-list .row").length === 1, "the list after a failure that passes");
await until(() => find("connection-state").dataset.state === "live", "live");

const { openEditor } = await import(`${assets}/parts/task-editor.js`);
const { store } = await import(`${assets}/data/store.js`);
const actions = await import(`${assets}/actions.js`);
const { keepDraft } = await import(`${assets}/data/drafts.js`);
const { api } = await import(`${assets}/data/api.js`);
// One that is closed leaves the page with the next frame.
const field = () => find("dialog.editor[open] .editor-description");
const leave = () => find("dialog.editor[open] .editor-title").focus();
const isSaved = () => until(() => store.outbox.entries.length === 0, "saved");
function describe(text) {
  if (!find("dialog.editor[open]")) openEditor("a");
  button(store.task("a").description ? "Edit the description" : "Add a description").click();
  field().value = text;
}
async function close() {
  find("dialog.editor[open] .dialog-close").click();
  await until(() => !find("dialog"), "the end of the sheet");
}
const title = () => find("#view-title").textContent;
