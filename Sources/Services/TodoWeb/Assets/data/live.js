// Changes of other people and other windows as they happen: a WebSocket that resumes after the last change seen, and
// polling of the changes feed where there is no WebSocket. A change is never applied twice with effect, and never lost:
// the cursor only moves past what was applied.

import { Problem, api } from "./api.js";

const socketPauses = [0.5, 1, 2, 5, 10, 20];
/** After so many sockets that never became ready, the feed is polled until one does. */
const patience = 2;
const pollWait = 25;
const signedOut = 4401;
/** The server has less than was seen here, as after a restore from a backup. */
const [outdated, gone] = [4410, 410];
/** How long after the moment that it named a server may take to say goodbye, in milliseconds. */
const goodbye = 2000;

export class Live extends EventTarget {
  /** "connecting", "live", "polling", "offline" or "stopped" */
  state = "stopped";
  #store;
  /** Change number by owner. */
  #cursor = new Map();
  #socket = null;
  /** The server is about to close the socket. */
  #isLeaving = false;
  #failures = 0;
  #timer = null;
  #polling = null;
  #catching = null;
  /** Whether there was news since the page of the feed that is being read was asked for. */
  #isBehind = false;
  /** Another one after each stop: what was asked for before is nobody's news any more. */
  #session = 0;
  #seen = [];

  constructor(store) {
    super();
    this.#store = store;
    addEventListener("online", () => this.#hurry());
    addEventListener("offline", () => this.state !== "stopped" && this.#become("offline"));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.state !== "live" && this.#hurry());
  }

  /** Takes the cursor first: what changes while lists are being read comes after it. */
  async start() {
    this.stop();
    this.#become("connecting");
    this.#cursor = parseCursor((await api.changes("now")).cursor);
    this.#connect();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#polling?.abort();
    this.#polling = null;
    this.#session += 1;
    this.#catching = null;
    this.#drop();
    this.#failures = 0;
    this.state = "stopped";
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#isLeaving = false;
    socket?.close();
  }

  /** There is a sign that the network is back: do not wait for the next attempt. */
  #hurry() {
    if (this.state === "stopped") return;
    this.#store.outbox.flush();
    // Of a socket from before nobody knows whether it outlived the network.
    if (this.state === "offline") this.#drop();
    if (!this.#socket) {
      this.#failures = Math.min(this.#failures, 1);
      this.#connect();
    }
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #connect() {
    clearTimeout(this.#timer);
    if (this.#socket || this.state === "stopped") return;
    const url = new URL("/v1/stream", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, ["todo.v1"]);
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "resume", after: writeCursor(this.#cursor) }));
    let work = Promise.resolve();
    socket.onmessage = (event) => {
      work = work.then(() => this.#store.outbox.settled()).then(() => this.#socket === socket && this.#receive(JSON.parse(event.data)));
    };
    socket.onclose = (event) => this.#socket === socket && this.#closed(event.code);
  }

  #closed(code) {
    const wasTold = this.#isLeaving;
    this.#socket = null;
    this.#isLeaving = false;
    if (code === signedOut) return this.#checkSession();
    if (code === outdated) return this.#beginAnew();
    // The server chose the moment, for each page another.
    if (wasTold) return this.#connect();
    this.#failures += 1;
    if (!this.#polling) this.#become(navigator.onLine ? "connecting" : "offline");
    const pause = socketPauses[Math.min(this.#failures, socketPauses.length) - 1];
    // Spread, so that a server that restarts is not met by everybody at once.
    this.#timer = setTimeout(() => this.#connect(), pause * 1000 * (0.7 + 0.6 * Math.random()));
    if (this.#failures >= patience) this.#poll();
  }

  #receive(message) {
    switch (message.type) {
      case "change":
        this.#apply(message.change);
        break;
      case "ready":
        if (!this.#isOwn(parseCursor(message.cursor))) return this.#checkSession();
        this.#failures = 0;
        this.#polling?.abort();
        this.#polling = null;
        this.#advance(parseCursor(message.cursor));
        if (!this.#isLeaving) this.#become("live");
        this.#store.outbox.flush();
        break;
      case "event":
        this.#event(message.event);
        break;
      case "reconnect":
        this.#leave(message.afterMs ?? 1000);
        break;
    }
  }

  /** The server is about to go. It may bring nothing new any more, and closes the socket in so many milliseconds. */
  #leave(afterMs) {
    const socket = this.#socket;
    this.#isLeaving = true;
    this.#become("connecting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      socket.close();
      if (this.#socket === socket) this.#closed();
    }, afterMs + goodbye);
  }

  #event(event) {
    if (this.#seen.includes(event.id)) return;
    this.#seen = [...this.#seen.slice(-200), event.id];
    // Reminders are in no stream: they have no number.
    if (event.type.includes(".reminder.")) return this.dispatchEvent(new CustomEvent("reminder", { detail: event }));
    const { user, seq, task, project } = event.data;
    const last = this.#cursor.get(user);
    // Filters change without an event: a hole in one's own numbers says that there is more to read. Of others' streams
    // only the shared part is seen, which has holes by nature.
    const hasHole = user === this.#store.me?.id && last !== undefined && seq > last + 1;
    if (task) this.#apply({ type: "task", user, id: task.id, seq, task });
    // Only the feed tells what came back with it, and what somebody else than its owner may do there.
    const isBack = event.type.endsWith(".project.restored");
    if (project && !isBack) this.#applyProjectEvent(event.type, { type: "project", user, id: project.id, seq, project });
    if (hasHole || isBack) this.#catchUp();
    else this.#advance(new Map([[user, seq]]));
  }

  #applyProjectEvent(type, change) {
    const membership = /\.project\.(un)?shared$/.test(type);
    if (membership && change.user !== this.#store.me?.id) this.dispatchEvent(new Event("membership"));
    else this.#apply(change);
  }

  #apply(change) {
    const store = this.#store;
    const body = change[change.type];
    if (change.type === "task") body ? store.putTasks([body]) : store.dropTask(change.id, change.seq);
    else if (change.type === "project") body ? store.putProject(body) : store.dropProject(change.id);
    else if (change.type === "filter") body ? store.putFilter(body) : store.dropFilter(change.id);
  }

  #advance(cursor) {
    for (const [owner, seq] of cursor) if (seq > (this.#cursor.get(owner) ?? -1)) this.#cursor.set(owner, seq);
  }

  /** A person's own changes come first. Another window may have signed somebody else in while this one was asleep. */
  #isOwn(cursor) {
    const [first] = cursor.keys();
    return first === undefined || first === this.#store.me?.id;
  }

  /** Reads the feed up to its end. Whoever gives a `signal` hears of failures. */
  async #catchUp({ wait = 0, signal } = {}) {
    if (this.#catching && !signal) {
      this.#isBehind = true;
      return this.#catching;
    }
    const session = this.#session;
    const read = async () => {
      let page;
      do {
        this.#isBehind = false;
        page = await api.changes(writeCursor(this.#cursor), { wait, signal });
        await this.#store.outbox.settled();
        if (this.#session !== session) return;
        if (!this.#isOwn(parseCursor(page.cursor))) return this.#checkSession();
        for (const item of page.items) this.#apply(item);
        this.#advance(parseCursor(page.cursor));
      } while (page.more || this.#isBehind);
    };
    const reading = read();
    if (signal) return reading;
    const catching = reading.catch(() => {}).finally(() => {
      if (this.#catching === catching) this.#catching = null;
    });
    this.#catching = catching;
    return catching;
  }

  async #poll() {
    if (this.#polling) return;
    const polling = new AbortController();
    this.#polling = polling;
    let wait = 0;
    while (!polling.signal.aborted) {
      try {
        await this.#catchUp({ wait, signal: polling.signal });
        wait = pollWait;
        if (polling.signal.aborted) return;
        const wasAway = this.state !== "polling";
        this.#become("polling");
        // The server answers again: a socket may be had now, and need not wait for its turn.
        if (wasAway) this.#hurry();
      } catch (error) {
        if (polling.signal.aborted) return;
        if (error instanceof Problem && error.status === 401) return this.#checkSession();
        if (error instanceof Problem && error.status === gone) return this.#beginAnew();
        wait = 0;
        this.#become("offline");
        await new Promise((resolve) => setTimeout(resolve, 2000 + 2000 * Math.random()));
      }
    }
  }

  #checkSession() {
    this.stop();
    this.dispatchEvent(new Event("signed-out"));
  }

  #beginAnew() {
    this.stop();
    this.dispatchEvent(new Event("outdated"));
  }
}

/** `OWNER:SEQ,OWNER:SEQ` */
export function parseCursor(text) {
  const entries = (text ?? "").split(",").filter(Boolean).map((entry) => entry.split(":"));
  return new Map(entries.map(([owner, seq]) => [owner, Number(seq)]));
}

export const writeCursor = (cursor) => [...cursor].map(([owner, seq]) => `${owner}:${seq}`).join(",");
