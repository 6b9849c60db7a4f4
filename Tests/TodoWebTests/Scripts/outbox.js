// Runs in the page: `assets` is the address of its modules. Gives a list of what is wrong; nothing when all is right.

const wrong = [];
function same(actual, expected, what) {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) wrong.push(`${what}: ${left}, not ${right}`);
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Lets what is under way come to its end: so many turns of the event loop, however long the machine takes for one. */
async function turn() {
  for (let count = 0; count < 8; count++) await pause(2);
}
/** For what the browser does between pages, such as locks, and tells when it likes. */
async function until(condition, what) {
  for (const end = Date.now() + 30_000; Date.now() < end; await pause(5)) if (condition()) return;
  wrong.push(`${what}: not within 30 s`);
}

// A server that answers when it is told to: each request waits in `asked`.
const asked = [];
globalThis.fetch = (path, { headers, body, signal }) =>
  new Promise((resolve, reject) => {
    const answer = (status, value, more) => resolve(new Response(JSON.stringify(value), { status, headers: more }));
    asked.push({ path, key: headers["Idempotency-Key"], body: body && JSON.parse(body), signal, answer, lose: () => reject(new TypeError()) });
  });
const task = (status, seq) => ({ id: "a", user: "u", project: "p", title: "a", status, due: null, tags: [], deletedAt: null, seq });
const done = { results: [{ task: task("done", 2) }] };
const made = { "Todo-Operation": "o" };

const { store } = await import(`${assets}/data/store.js`);
const told = [];
store.addEventListener("refused", () => told.push("refused"));
store.outbox.addEventListener("kept", () => told.push("kept"));

/** Completes the one task, and gives how to undo it. */
function complete() {
  asked.length = told.length = 0;
  store.reset(null);
  store.reset({ id: "u" });
  store.putTasks([task("open", 1)]);
  const written = store.write([{ op: "complete", id: "a" }], "done");
  same(store.task("a").status, "done", "it shows at once");
  return written;
}

// What was not sent is not sent.
let written = complete();
await written.undo();
await turn();
same([asked.length, store.task("a").status, store.outbox.entries.length], [0, "open", 0], "never sent");

// What is on its way looks undone at once, and is undone once there is an answer.
written = complete();
await turn();
await written.undo();
same([asked.length, store.task("a").status], [1, "open"], "on its way");
asked[0].answer(200, done, made);
await turn();
same([asked[1]?.path, asked[1]?.body, store.task("a").status], ["/v1/undo", { operation: "o" }, "open"], "there, too");
asked[1]?.answer(200, { tasks: [task("open", 3)] });
await turn();
same([store.task("a").status, store.task("a").seq, store.outbox.entries.length, told], ["open", 3, 0, []], "undone");

// Without an answer the same is sent again, for the server may have done it.
written = complete();
await turn();
asked[0].lose();
await turn();
await written.undo();
same([store.task("a").status, store.outbox.entries.length], ["open", 1], "nobody knows");
store.outbox.flush();
await turn();
same(asked[1]?.key, asked[0].key, "the same request");
asked[1]?.answer(200, done, made);
await turn();
const key = asked[2]?.key;
asked[2]?.lose();
await turn();
store.outbox.flush();
await turn();
asked[3]?.answer(200, done, made);
await turn();
same([asked[4]?.path, asked[4]?.key], ["/v1/undo", key], "the same undo");
asked[4]?.answer(200, { tasks: [task("open", 3)] });
await turn();
same([store.task("a").status, store.outbox.entries.length, told], ["open", 0, []], "undone after all");

// What the server does not take back stays, and the person is told.
written = complete();
await turn();
await written.undo();
asked[0].answer(200, done, made);
await turn();
asked[1]?.answer(409, { detail: "changed since" });
await turn();
same([store.task("a").status, store.outbox.entries.length, told], ["done", 0, ["kept"]], "kept");

// What is refused and no longer wanted is nobody's news.
written = complete();
await turn();
await written.undo();
asked[0].answer(422, { detail: "no" });
await turn();
same([store.task("a").status, store.outbox.entries.length, told], ["open", 0, []], "refused");

// A description is written on top of the one that was read, whatever else changed.
const conflicts = [];
store.outbox.addEventListener("conflict", ({ detail }) => conflicts.push([detail.text, detail.task.description]));
const described = (description, version) => ({ ...task("open", version), description, version });
const stored = () => Object.keys(localStorage).filter((key) => key.startsWith("todo.outbox.u."));
const storedEntries = () => stored().flatMap((key) => JSON.parse(localStorage.getItem(key)));
function describe(base, description) {
  const operation = { op: "update", id: "a", ifMatch: '"1"', patch: { description } };
  return store.write([operation], undefined, { base });
}
function begin() {
  asked.length = conflicts.length = 0;
  store.reset(null);
  store.reset({ id: "u" });
  store.putTasks([described("old", 1)]);
}
begin();
written = describe("old", "mine");
await turn();
same(storedEntries().map((entry) => entry.base), ["old"], "what was read outlives the page");
asked[0].answer(412, {});
await turn();
same(asked[1]?.path, "/v1/tasks/a", "is it still there?");
asked[1]?.answer(200, described("old", 3));
await turn();
same(asked[2]?.body.operations[0].ifMatch, '"3"', "on top of the task as it is");
same(asked[2]?.key !== asked[0].key, true, "another request");
same(storedEntries().map((entry) => entry.key), [asked[2]?.key], "also after the page was loaded anew");
asked[2]?.answer(200, { results: [{ task: described("mine", 4) }] }, made);
await turn();
same((await written.done).length, 1, "whoever waits hears of it");
same([store.task("a").description, conflicts], ["mine", []], "written");

// What somebody else wrote stays, and the person gets back the last of what they wrote.
begin();
describe("old", "mine");
describe("mine", "mine, too");
await turn();
asked[0].answer(412, {});
await turn();
asked[1]?.answer(200, described("theirs", 2));
await turn();
same(conflicts, [], "a later text has it in it");
asked[2]?.answer(412, {});
await turn();
asked[3]?.answer(200, described("theirs", 2));
await turn();
same([conflicts, store.outbox.entries.length], [[["mine, too", "theirs"]], 0], "given back");

// What a window leaves that is closed later is taken up by those that are open.
const { Outbox } = await import(`${assets}/data/outbox.js`);
begin();
const other = new Outbox();
other.open("u");
other.add([{ op: "complete", id: "a" }], "done");
await turn();
asked[0].lose();
await turn();
for (const key of stored()) dispatchEvent(new StorageEvent("storage", { key, newValue: localStorage.getItem(key) }));
await turn();
same(store.outbox.entries.length, 0, "not while it lives");
other.close();
await until(() => asked.length > 1, "its lock is free");
same([store.outbox.entries.length, asked[1]?.key], [1, asked[0].key], "the same request");
asked[1]?.answer(200, done, made);
await turn();
same([store.task("a").status, stored()], ["done", []], "sent");

// What the server takes along with a task goes along at once, and comes back with it.
const child = (id, parent) => ({ ...task("open", 1), id, parent });
const gone = () => ["a", "b", "c", "d"].map((id) => Boolean(store.task(id).deletedAt));
function beginTree() {
  begin();
  store.putTasks([child("b", "a"), child("c", "b"), { ...child("d", "a"), deletedAt: "2026-01-01T00:00:00Z" }]);
}
beginTree();
written = store.write([{ op: "delete", id: "a" }], "deleted");
same([gone(), store.children("a")], [[true, true, true, true], []], "into the bin");
await written.undo();
same(gone(), [false, false, false, true], "out of it");
written = store.write([{ op: "delete", id: "a" }], "deleted");
await turn();
const now = "2026-11-21T12:00:00Z";
asked[0].answer(200, { results: [{ task: { ...task("open", 5), deletedAt: now } }] }, made);
await turn();
same(gone(), [true, true, true, true], "they do not wait for news of their own");
const undone = written.undo();
await turn();
asked[1]?.answer(200, { tasks: [task("open", 9), { ...child("b", "a"), seq: 7 }, { ...child("c", "b"), seq: 8 }] });
await undone;
same(gone(), [false, false, false, true], "undone by the server");
beginTree();
store.write([{ op: "move", id: "a", move: { project: "q", parent: null } }], "moved");
same(["a", "b", "c", "d"].map((id) => store.task(id).project), ["q", "q", "q", "q"], "to another project");
await turn();
asked[0].answer(422, { detail: "no" });
await turn();
same(["a", "b", "c", "d"].map((id) => store.task(id).project), ["p", "p", "p", "p"], "and back when it is refused");
store.reset(null);

// An answer that does not come is waited for by nobody who signs in again, whatever it was of.
begin();
const { api, endSession } = await import(`${assets}/data/api.js`);
let heard = "nothing";
api.me().then(() => (heard = "answer"), () => (heard = "error"));
store.write([{ op: "complete", id: "a" }], "done");
await turn();
const hanging = asked.slice();
endSession();
store.reset(null);
same(hanging.map(({ signal }) => signal.aborted), [true, true], "they keep no connection");
hanging[0].lose();
store.reset({ id: "u" });
store.putTasks([task("open", 1)]);
await until(() => asked.length > 2, "its own lock is free");
same([asked.length, asked[2]?.key], [3, hanging[1].key], "the same request at once");
hanging[1].lose();
await turn();
same([asked.length, heard, store.outbox.entries.length], [3, "nothing", 1], "the old ones are no news");
asked[2]?.answer(200, done, made);
await turn();
same([store.task("a").status, store.outbox.entries.length], ["done", 0], "done");
store.reset(null);

return wrong;
