// What the person did and the server has not yet confirmed, in order. A short outage costs nothing: each entry is sent
// again under the same idempotency key until there is an answer, also after the page was loaded anew.

import { Problem, Unreachable, api, idempotencyKey } from "./api.js";
import { between, compareText, endPosition } from "../lib/order.js";

/** Seconds between attempts while there is no answer. */
const pauses = [1, 2, 5, 10];

export class Outbox extends EventTarget {
  /**
   * [{key, operations, label, at, base, undo}]; `base` is the description that the person had read who wrote another,
   * `undo` the key of the request that takes it back, where that is wanted.
   */
  entries = [];
  /** Whether what waits outlives the page. */
  isKept = true;
  #storageKey = null;
  #isSending = false;
  #timer = null;
  #failures = 0;
  #waiting = new Map();
  /** The entries that a request was made for, with or without an answer. */
  #sent = new WeakSet();
  /** Aborted when the queue is closed. */
  #closing = null;
  /** The queues of other windows that are waited for. */
  #awaited = new Set();

  /** Each window keeps its own queue, and a lock for as long as it lives; what a window that is gone left is taken up. */
  open(userId) {
    const prefix = `todo.outbox.${userId}.`;
    this.#storageKey = prefix + idempotencyKey();
    this.#closing = new AbortController();
    const { signal } = this.#closing;
    // Without locks nobody knows whether a window lives: what is there at the start is taken for what was left.
    if (!navigator.locks) return storedKeys(prefix).forEach((key) => this.#adopt(key));
    navigator.locks.request(this.#storageKey, { signal }, () => aborted(signal)).catch(() => {});
    for (const key of storedKeys(prefix)) this.#inherit(key, signal);
    addEventListener("storage", ({ key, newValue }) => {
      if (newValue && key.startsWith(prefix)) this.#inherit(key, signal);
    }, { signal });
  }

  /** Takes up the queue of another window as soon as that is gone: then its lock is free. */
  #inherit(key, signal) {
    if (this.#awaited.has(key)) return;
    this.#awaited.add(key);
    navigator.locks.request(key, { signal }, () => signal.aborted || this.#adopt(key)).catch(() => {});
  }

  #adopt(key) {
    const entries = JSON.parse(localStorage.getItem(key) ?? "[]");
    if (entries.length === 0) return;
    localStorage.removeItem(key);
    if (this.#isSending) this.entries.push(...entries);
    else this.entries.unshift(...entries);
    this.#keep();
    this.dispatchEvent(new Event("adopted"));
    this.flush();
  }

  close() {
    clearTimeout(this.#timer);
    this.#closing?.abort();
    this.#awaited.clear();
    this.#storageKey = null;
    this.#isSending = false;
    this.isKept = true;
    this.entries = [];
  }

  /** Resolves to {results, operation} when the server has done it; rejects when it refused. */
  add(operations, label, { base } = {}) {
    const entry = { key: idempotencyKey(), operations, label, at: new Date().toISOString(), base };
    this.entries.push(entry);
    this.#keep();
    const done = new Promise((resolve, reject) => this.#waiting.set(entry.key, { resolve, reject }));
    done.catch(() => {});
    queueMicrotask(() => this.flush());
    return { entry, done };
  }

  /**
   * Takes an entry back: what was never sent is not sent. Of what was, nobody can say whether it arrived: it counts as
   * undone from now on, is sent until there is an answer, and is then undone there.
   * @returns false when there was an answer already, or something queued later stands on it
   */
  takeBack(entry) {
    const index = this.entries.indexOf(entry);
    if (index < 0 || this.#isReferredTo(entry, index)) return false;
    if (this.#sent.has(entry)) entry.undo = idempotencyKey();
    else {
      this.entries.splice(index, 1);
      this.#waiting.delete(entry.key);
    }
    this.#keep();
    return true;
  }

  /** Whether something queued later stands on a task that this entry makes. */
  #isReferredTo(entry, index) {
    const made = entry.operations.filter((each) => each.op === "create").map((each) => each.localId);
    const later = JSON.stringify(this.entries.slice(index + 1));
    return made.some((id) => later.includes(id));
  }

  /**
   * Resolves when the server's news may be shown: not while a task is being made, for the news of it may overtake the
   * answer that says that it is the one made here, and it would be shown as a second one; nor while something that was
   * taken back is on its way, for it would come back for a moment.
   */
  settled() {
    const [first] = this.entries;
    const isAwaited = this.#isSending && first && (first.undo || first.operations.some((operation) => operation.op === "create"));
    if (!isAwaited) return Promise.resolve();
    return new Promise((resolve) => {
      for (const name of ["answer", "delay"]) this.addEventListener(name, resolve, { once: true });
    });
  }

  /** Sends one after the other until all are answered or there is no answer. */
  async flush() {
    if (this.#isSending || !this.#storageKey) return;
    clearTimeout(this.#timer);
    this.#isSending = true;
    const storageKey = this.#storageKey;
    while (this.entries.length > 0 && this.#storageKey === storageKey) {
      const entry = this.entries[0];
      try {
        this.#sent.add(entry);
        const answer = await this.#send(entry, storageKey);
        const refusal = entry.undo && (await this.#undo(entry, answer));
        if (this.#storageKey !== storageKey) break;
        this.#failures = 0;
        this.#finish(entry, answer);
        if (refusal) this.dispatchEvent(new CustomEvent("kept", { detail: { entry, error: refusal } }));
      } catch (error) {
        if (this.#storageKey !== storageKey) break;
        if (isPassing(error)) {
          this.#retry(error);
          break;
        }
        this.#finish(entry, null, error);
        if (error.now) this.#giveBack(entry, error.now);
      }
    }
    // Whoever has signed in meanwhile does not wait for an answer to somebody else.
    if (this.#storageKey === storageKey) this.#isSending = false;
  }

  /**
   * A description is written on top of the one that the person had read. Where that is still there the task changed
   * otherwise, perhaps by what the person did before.
   * @throws what the server said, with the task as it is `now` when somebody else wrote the description
   */
  async #send(entry, storageKey) {
    for (;;) {
      try {
        return await api.bulk(entry.operations.map(withoutLocalId), entry.key);
      } catch (error) {
        if (error.status !== 412 || entry.base === undefined || entry.undo) throw error;
        const now = await api.task(entry.operations[0].id);
        if (this.#storageKey !== storageKey) throw error;
        if (now.description !== entry.base) throw Object.assign(error, { now });
        entry.operations[0].ifMatch = `"${now.version}"`;
        this.#changeKey(entry);
      }
    }
  }

  /** A key belongs to one request: under the old one the server would give its old answer. */
  #changeKey(entry) {
    const waiting = this.#waiting.get(entry.key);
    this.#waiting.delete(entry.key);
    entry.key = idempotencyKey();
    if (waiting) this.#waiting.set(entry.key, waiting);
    this.#keep();
  }

  /** The person gets their text back, unless they wrote on: then it is part of a later one, which meets the same. */
  #giveBack(entry, task) {
    const text = entry.operations[0].patch.description;
    const isWrittenOn = this.entries.some((each) => each.base === text && each.operations[0].id === task.id);
    if (isWrittenOn || entry.undo) return;
    this.dispatchEvent(new CustomEvent("conflict", { detail: { task, text } }));
  }

  /** Adds to the answer what the tasks are then; gives the error when the server does not take it back. */
  async #undo(entry, answer) {
    try {
      const { tasks } = await api.undo(answer.operation, entry.undo);
      answer.results.push(...tasks.map((task) => ({ task })));
    } catch (error) {
      if (isPassing(error)) throw error;
      return error;
    }
  }

  #finish(entry, answer, error) {
    this.entries = this.entries.filter((each) => each !== entry);
    if (answer) this.#rename(entry, answer.results);
    this.#keep();
    const waiting = this.#waiting.get(entry.key);
    this.#waiting.delete(entry.key);
    this.dispatchEvent(new CustomEvent("answer", { detail: { entry, answer, error } }));
    if (error) waiting?.reject(error);
    else waiting?.resolve(answer);
  }

  #retry(error) {
    const pause = error.retryAfter ?? pauses[Math.min(this.#failures++, pauses.length - 1)];
    this.#timer = setTimeout(() => this.flush(), pause * 1000 * (0.8 + 0.4 * Math.random()));
    this.dispatchEvent(new CustomEvent("delay", { detail: { error } }));
  }

  /** A new task has an id of the page until the server has given it one; what is queued behind must use that. */
  #rename(entry, results) {
    const ids = new Map();
    entry.operations.forEach((operation, index) => {
      if (operation.localId) ids.set(operation.localId, results[index].task.id);
    });
    if (ids.size === 0) return;
    const id = (value) => ids.get(value) ?? value;
    for (const operation of this.entries.flatMap((each) => each.operations)) {
      if (operation.id) operation.id = id(operation.id);
      for (const part of [operation.task, operation.patch, operation.move]) {
        for (const name of ["parent", "after", "before"]) if (part?.[name]) part[name] = id(part[name]);
      }
    }
    this.dispatchEvent(new CustomEvent("rename", { detail: ids }));
  }

  #keep() {
    try {
      if (this.entries.length) localStorage.setItem(this.#storageKey, JSON.stringify(this.entries));
      else localStorage.removeItem(this.#storageKey);
      this.isKept = true;
    } catch {
      // A browser that keeps nothing, or no more: the queue lives as long as the page.
      this.isKept = this.entries.length === 0;
    }
    this.dispatchEvent(new Event("change"));
  }
}

function storedKeys(prefix) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  } catch {
    return [];
  }
}

const aborted = (signal) =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", resolve)));

const isPassing = (error) => error instanceof Unreachable || (error instanceof Problem && (error.isPassing || error.status === 401));

function withoutLocalId({ localId, ...operation }) {
  return operation;
}

/** At the very end until the server has chosen: its clock is not ours, and tasks must not change places meanwhile. */
const newPosition = (at) => "z".repeat(10) + endPosition(Date.parse(at));

/** The task as it will be once the server has done the operation; null for another task's operation. */
export function applyOperation(task, operation, at, siblings) {
  switch (operation.op) {
    case "create":
      return {
        description: "", status: "open", priority: "none", due: null, start: null, estimate: null, recurrence: null, tags: [], parent: null,
        position: newPosition(at), createdAt: at, updatedAt: at, completedAt: null, deletedAt: null, version: 0, seq: 0,
        ...operation.task, id: operation.localId,
      };
    case "update": {
      const { scope, ...patch } = operation.patch;
      const status = patch.status ?? task.status;
      return { ...task, ...patch, completedAt: status === "open" ? null : (task.completedAt ?? at) };
    }
    case "complete":
      return { ...task, status: "done", completedAt: at };
    case "reopen":
      return { ...task, status: "open", completedAt: null };
    case "delete":
      return { ...task, deletedAt: at };
    case "restore":
      return { ...task, deletedAt: null };
    case "move":
      return applyMove(task, operation.move, at, siblings);
    default:
      return task;
  }
}

/** A task below another, as it is once that has become `next`: it goes along to the bin, out of it and to a project. */
export function carry(below, task, next) {
  const project = next.project === task.project ? below.project : next.project;
  // What went to the bin at another time stays there.
  const deletedAt = below.deletedAt === task.deletedAt ? next.deletedAt : below.deletedAt;
  const isCarried = project !== below.project || deletedAt !== below.deletedAt;
  return isCarried ? { ...below, project, deletedAt } : below;
}

function applyMove(task, move, at, siblings) {
  const moved = { ...task };
  if (move.project && move.project !== task.project) Object.assign(moved, { project: move.project, parent: null });
  if (move.parent !== undefined) moved.parent = move.parent;
  if (move.after === undefined && move.before === undefined) return moved;
  const others = siblings(moved).filter((each) => each.id !== task.id);
  const anchor = others.findIndex((each) => each.id === (move.after ?? move.before));
  const place = move.after ? anchor + 1 : move.before ? Math.max(anchor, 0) : move.after === null ? 0 : others.length;
  const [low, high] = [others[place - 1]?.position ?? null, others[place]?.position ?? null];
  const end = newPosition(at);
  const isEnd = high === null && (low === null || compareText(low, end) < 0);
  moved.position = isEnd ? end : between(low, high);
  return moved;
}
