// A list of tasks as a view shows it. What a view of the page's own wants is decided here, from what the store knows, so
// that a change shows at once; what a query wants is decided by the server, asked anew when something changed.

import { api, Problem } from "./api.js";
import { byPosition, store } from "./store.js";
import { dueKey } from "../lib/dates.js";
import { debounce, eachFrame } from "../lib/dom.js";

/** The first page is small, to be there soon. */
const firstPage = 100;
const nextPages = 200;

/** Which definitions were read to their end since the cursor was taken: changes keep them whole. */
const complete = new Set();
export const forgetLists = () => complete.clear();

export class TaskView extends EventTarget {
  /** [{id, task, depth, children, group}] in order; a row of a group has no task. */
  rows = [];
  isLoading = false;
  error = null;
  #store;
  #definition;
  #ids = null;
  /** The tasks that came with the answer to a query: what they do to the store is no reason to ask again. */
  #read = new Map();
  #abort = new AbortController();
  #collapsed;
  #refreshSoon = eachFrame(() => this.#abort.signal.aborted || this.refresh());

  constructor(store, definition, collapsed) {
    super();
    this.#store = store;
    this.#definition = definition;
    this.#collapsed = collapsed;
    const askAgain = debounce(250, () => this.#abort.signal.aborted || this.#load());
    store.addEventListener("tasks", ({ detail }) => {
      this.#refreshSoon();
      if (!definition.matches && [...detail].some((id) => store.task(id) !== this.#read.get(id))) askAgain();
    }, { signal: this.#abort.signal });
    this.refresh();
    this.#load();
  }

  get definition() {
    return this.#definition;
  }

  close() {
    this.#abort.abort();
  }

  get count() {
    return this.rows.reduce((sum, row) => sum + (row.task ? 1 : 0), 0);
  }

  #loading = null;
  async #load() {
    const { key, parameters, matches } = this.#definition;
    if (matches && complete.has(key)) return;
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    const signal = AbortSignal.any([loading.signal, this.#abort.signal]);
    this.isLoading = true;
    this.dispatchEvent(new Event("change"));
    try {
      const ids = [];
      let cursor = null;
      do {
        const page = await api.tasks({ ...parameters, limit: ids.length ? nextPages : firstPage, cursor }, signal);
        if (!cursor) this.#read.clear();
        for (const task of page.items) this.#read.set(task.id, task);
        ids.push(...page.items.map((task) => task.id));
        cursor = page.nextCursor;
        if (!matches && (!this.#ids || ids.length >= this.#ids.length || !cursor)) this.#ids = ids;
        this.error = null;
        this.isLoading = Boolean(cursor);
        this.#store.putTasks(page.items);
        this.refresh();
      } while (cursor);
      // The bin is not kept: what goes there with its project is not told one by one.
      if (matches && !this.#definition.isBin) complete.add(key);
    } catch (error) {
      if (signal.aborted) return;
      this.error = error;
      this.isLoading = false;
      this.dispatchEvent(new Event("change"));
      if (error instanceof Problem && !error.isPassing) return;
      setTimeout(() => signal.aborted || this.#load(), (error.retryAfter ?? 3) * 1000);
    }
  }

  /** Shows what changed without waiting for the next frame: who presses a key means what is so now. */
  catchUp() {
    this.#refreshSoon.now();
  }

  /** Another day has begun: the rows name days anew, and a query may find other tasks. */
  renew() {
    this.refresh();
    this.#load();
  }

  /** Works out the rows anew. */
  refresh() {
    const { matches, compare, isTree, groupOf } = this.#definition;
    const store = this.#store;
    let tasks;
    if (matches) {
      tasks = [];
      for (const task of store.tasks()) if (matches(task)) tasks.push(task);
      tasks.sort(compare);
    } else {
      tasks = (this.#ids ?? []).map((id) => store.task(id)).filter((task) => task && !task.deletedAt === !this.#definition.isBin);
    }
    this.rows = isTree ? this.#nested(tasks) : this.#flat(tasks, groupOf);
    this.dispatchEvent(new Event("change"));
  }

  #flat(tasks, groupOf) {
    const rows = [];
    let last;
    for (const task of tasks) {
      const group = groupOf?.(task);
      if (group && group !== last) rows.push({ id: `group-${group}`, group });
      last = group;
      rows.push({ id: task.id, task, depth: 0, children: 0 });
    }
    return rows;
  }

  #nested(tasks) {
    const shown = new Set(tasks.map((task) => task.id));
    const below = Map.groupBy ? Map.groupBy(tasks, parentOf) : groupBy(tasks, parentOf);
    function parentOf(task) {
      return task.parent && shown.has(task.parent) ? task.parent : null;
    }
    const rows = [];
    const add = (task, depth) => {
      const children = below.get(task.id) ?? [];
      rows.push({ id: task.id, task, depth, children: children.length, isCollapsed: this.#collapsed.has(task.id) });
      if (!this.#collapsed.has(task.id)) for (const child of children) add(child, depth + 1);
    };
    for (const task of below.get(null) ?? []) add(task, 0);
    return rows;
  }
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
}

const priorities = ["none", "low", "medium", "high", "urgent"];

export const byDue = (left, right) => {
  const [leftDue, rightDue] = [left, right].map(({ due }) => (due ? dueKey(due, store.me) : "~"));
  if (leftDue !== rightDue) return leftDue < rightDue ? -1 : 1;
  return priorities.indexOf(right.priority) - priorities.indexOf(left.priority) || byPosition(left, right);
};

export const byCompletion = (left, right) =>
  left.completedAt === right.completedAt ? byPosition(left, right) : (left.completedAt ?? "") < (right.completedAt ?? "") ? 1 : -1;

export const byDeletion = (left, right) =>
  left.deletedAt === right.deletedAt ? byPosition(left, right) : (left.deletedAt ?? "") < (right.deletedAt ?? "") ? 1 : -1;
