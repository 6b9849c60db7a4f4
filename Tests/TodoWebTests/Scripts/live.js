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

// Sockets that only do what they are told to.
const sockets = [];
globalThis.WebSocket = class {
  heard = [];
  isClosed = false;
  constructor() {
    sockets.push(this);
    setTimeout(() => this.onopen?.());
  }
  send(text) {
    this.heard.push(JSON.parse(text));
  }
  close() {
    this.isClosed = true;
  }
  async say(...messages) {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) });
    await turn();
  }
};
globalThis.fetch = async () => new Response(JSON.stringify({ items: [], cursor: "u:1", more: false }));

const { store } = await import(`${assets}/data/store.js`);
const { Live } = await import(`${assets}/data/live.js`);
store.reset({ id: "u" });
const live = new Live(store);
const states = [];
live.addEventListener("state", (event) => states.push(event.detail));
const event = (id, seq) => ({ type: "event", event: { id: `e${seq}`, type: "dev.todo-operator.task.created", data: { user: "u", seq, task: { id, user: "u", project: "p", title: id, status: "open", due: null, tags: [], deletedAt: null, seq } } } });

await live.start();
await turn();
await sockets[0].say({ type: "ready", cursor: "u:1" });
same(states, ["connecting", "live"], "live");

// A server that is about to go.
await sockets[0].say({ type: "reconnect", afterMs: 50 });
same(live.state, "connecting", "what may no longer bring everything is not called live");
await sockets[0].say(event("a", 2));
same(store.task("a")?.title, "a", "what it still brings is taken");
await pause(100);
same([sockets.length, sockets[0].isClosed], [1, false], "the server says when");
sockets[0].onclose({ code: 1012 });
await turn();
same(sockets.length, 2, "then there is no more waiting");
same(sockets[1]?.heard, [{ type: "resume", after: "u:2" }], "it goes on where it was");
await sockets[1]?.say({ type: "ready", cursor: "u:2" });
same(states, ["connecting", "live", "connecting", "live"], "live again");

// Whoever does not answer is waited for as ever.
await sockets[1]?.say({ type: "reconnect", afterMs: 0 });
sockets[1]?.onclose({ code: 1012 });
await turn();
same(sockets.length, 3, "at once");
sockets[2]?.onclose({ code: 1006 });
await pause(200);
same(sockets.length, 3, "not at once");
await pause(600);
same(sockets.length, 4, "after a while");
await sockets[3]?.say({ type: "ready", cursor: "u:2" });

// The goodbye never comes.
await sockets[3]?.say({ type: "reconnect", afterMs: 100 });
await pause(1000);
same([sockets.length, live.state], [4, "connecting"], "it may yet come");
await pause(1500);
same([sockets.length, sockets[3]?.isClosed], [5, true], "without it");
await sockets[3]?.say(event("b", 3));
same(store.task("b"), undefined, "one socket at a time");
await sockets[4]?.say({ type: "ready", cursor: "u:2" });
same(live.state, "live", "and live");

// A network that goes and comes: the socket may have outlived it.
dispatchEvent(new Event("offline"));
same(live.state, "offline", "no network");
dispatchEvent(new Event("online"));
await turn();
same([sockets.length, sockets[4]?.isClosed], [6, true], "another socket");
await sockets[5]?.say({ type: "ready", cursor: "u:2" });
same(live.state, "live", "live with the network");

// Somebody else's project that comes back: only the feed tells what came with it, and what one may do there.
const answers = globalThis.fetch;
const pages = [];
globalThis.fetch = () => new Promise((resolve) => pages.push((items, cursor) => resolve(new Response(JSON.stringify({ items, cursor, more: false })))));
const project = (seq) => ({ id: "q", user: "v", name: "Q", deletedAt: null, seq });
const restored = (seq) => ({ type: "event", event: { id: `q${seq}`, type: "dev.todo-operator.project.restored", data: { user: "v", seq, project: project(seq) } } });
await sockets.at(-1).say(restored(9));
same([pages.length, store.projects.has("q")], [1, false], "the feed is asked");
await sockets.at(-1).say(restored(12));
same(pages.length, 1, "one page at a time");
pages[0]([], "u:2,v:8");
await turn();
same(pages.length, 2, "a page from before the news is not the last");
pages[1]?.([{ type: "project", user: "v", id: "q", seq: 12, project: { ...project(12), role: "editor" } }], "u:2,v:12");
await turn();
same([pages.length, store.projects.get("q")?.role], [2, "editor"], "it is back, to be written in");

// A feed that gives nothing either is no connection.
globalThis.fetch = async () => { throw new TypeError(); };
states.length = 0;
sockets.at(-1).onclose({ code: 1006 });
await pause(800);
sockets.at(-1).onclose({ code: 1006 });
await turn();
same(states, ["connecting", "offline"], "nobody answers");
globalThis.fetch = answers;
live.stop();

// The server has less than was seen here: everything is read anew.
const outdated = [];
live.addEventListener("outdated", () => outdated.push(live.state));
await live.start();
await turn();
sockets.at(-1).onclose({ code: 4410 });
same(outdated, ["stopped"], "the socket says so");
await live.start();
await turn();
globalThis.fetch = async () => new Response("{}", { status: 410 });
sockets.at(-1).onclose({ code: 1006 });
await pause(800);
sockets.at(-1).onclose({ code: 1006 });
await turn();
same(outdated, ["stopped", "stopped"], "the feed says so");
globalThis.fetch = answers;

// Another window has signed somebody else in: nothing is written in their name.
const signedOut = [];
live.addEventListener("signed-out", () => signedOut.push(live.state));
await live.start();
await turn();
await sockets.at(-1).say({ type: "ready", cursor: "v:1,u:2" });
same(signedOut, ["stopped"], "somebody else's session");
live.stop();

return wrong;
