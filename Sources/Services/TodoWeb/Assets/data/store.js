// What the page knows: the server's tasks, projects and filters, with what waits in the outbox laid over them. Taking an
// entry out of the outbox is all that it takes to roll it back.

import { api, idempotencyKey } from "./api.js";
import { Outbox, applyOperation, carry } from "./outbox.js";
import { compareText } from "../lib/order.js";

/** The most operations of one call; the API's own limit. */
const bulkLimit = 500;

export class Store extends EventTarget {
  me = null;
  projects = new Map();
  filters = new Map();
  outbox = new Outbox();
  /** As the server has them. */
  #tasks = new Map();
  /** Tasks that differ from the server's because of what is in the outbox. */
  #overlay = new Map();
  /** The seq of what is gone for good, so that a list that was read before does not bring it back. */
  #gone = new Map();
  /** The server's ids of tasks that this page made. */
  #renamed = new Map();
  #announced = new Set();
  #byParent = null;
  #idsByParent = null;
  #tags = new Set();

  constructor() {
    super();
    this.outbox.addEventListener("rename", (event) => {
      for (const [local, id] of event.detail) this.#renamed.set(local, id);
    });
    this.outbox.addEventListener("adopted", () => this.#layOver());
    this.outbox.addEventListener("answer", (event) => this.#answered(event.detail));
  }

  /** Forgets everything of the person before. */
  reset(me) {
    this.outbox.close();
    for (const map of [this.projects, this.filters, this.#tasks, this.#overlay, this.#gone, this.#renamed, this.#tags]) map.clear();
    this.me = me;
    if (me) this.outbox.open(me.id);
    this.#layOver();
    this.#tell("projects");
    this.#tell("filters");
  }

  // Reading

  /** The id that the server knows, of one that it may not. */
  resolve(id) {
    return this.#renamed.get(id) ?? id;
  }

  /** The task as the person left it. */
  task(id) {
    const known = this.resolve(id);
    return this.#overlay.get(known) ?? this.#tasks.get(known);
  }

  *tasks() {
    for (const [id, task] of this.#tasks) yield this.#overlay.get(id) ?? task;
    for (const [id, task] of this.#overlay) if (!this.#tasks.has(id)) yield task;
  }

  /** The children of a task, in order, without those in the bin. */
  children(id) {
    if (!this.#byParent) {
      this.#byParent = new Map();
      for (const task of this.tasks()) {
        if (!task.parent || task.deletedAt) continue;
        if (!this.#byParent.has(task.parent)) this.#byParent.set(task.parent, []);
        this.#byParent.get(task.parent).push(task);
      }
      for (const list of this.#byParent.values()) list.sort(byPosition);
    }
    return this.#byParent.get(this.resolve(id)) ?? [];
  }

  siblings(task) {
    if (task.parent) return this.children(task.parent);
    const list = [];
    for (const each of this.tasks()) {
      if (each.project === task.project && !each.parent && !each.deletedAt) list.push(each);
    }
    return list.sort(byPosition);
  }

  get inbox() {
    for (const project of this.projects.values()) if (project.isInbox && project.user === this.me?.id) return project;
    return null;
  }

  /** In the order of the sidebar: own ones first, in the person's order, then shared ones by name. */
  get projectList() {
    const own = (project) => project.user === this.me?.id;
    return [...this.projects.values()].filter((project) => !project.deletedAt).sort((left, right) =>
      own(left) !== own(right) ? (own(left) ? -1 : 1)
        : own(left) ? compareText(left.position, right.position) : left.name.localeCompare(right.name));
  }

  /** Every tag that was seen, sorted. */
  get tags() {
    return [...this.#tags].sort();
  }

  mayWrite(task) {
    return this.projects.get(task.project)?.role !== "viewer";
  }

  // What the server says

  putTasks(tasks) {
    for (const task of tasks) this.#put(task);
    this.#layOver();
  }

  #put(task) {
    const known = this.#tasks.get(task.id);
    if (known && !isOlder(known, task)) return;
    if ((this.#gone.get(task.id) ?? -1) >= task.seq) return;
    this.#tasks.set(task.id, task);
    this.#announced.add(task.id);
    for (const tag of task.tags) this.#tags.add(tag);
  }

  dropTask(id, seq) {
    this.#gone.set(id, seq);
    if (this.#tasks.delete(id)) this.#announced.add(id);
    this.#layOver();
  }

  /** How often something of them became known. */
  #news = { projects: 0, filters: 0 };

  /** Asks again where there were news meanwhile: the answer may be older, and what is not in it would be forgotten. */
  async #readWhole(kind) {
    for (;;) {
      const before = this.#news[kind];
      const answer = await api[kind]();
      if (this.#news[kind] === before) return answer;
    }
  }

  async loadProjects() {
    this.setProjects(await this.#readWhole("projects"));
  }

  async loadFilters() {
    this.setFilters(await this.#readWhole("filters"));
  }

  setProjects(projects) {
    this.#news.projects += 1;
    this.projects = new Map(projects.map((project) => [project.id, project]));
    for (const task of this.#tasks.values()) {
      if (this.projects.has(task.project)) continue;
      this.#tasks.delete(task.id);
      this.#announced.add(task.id);
    }
    this.#layOver();
    this.#tell("projects");
  }

  /** Events leave out the role: it is the one that is known. */
  putProject(project) {
    this.#news.projects += 1;
    const known = this.projects.get(project.id);
    if (known && isOlder(project, known)) return;
    if (project.deletedAt) return this.dropProject(project.id);
    this.projects.set(project.id, { ...project, role: project.role ?? known?.role ?? (project.user === this.me.id ? "owner" : "viewer") });
    this.#tell("projects");
  }

  dropProject(id) {
    this.#news.projects += 1;
    if (this.projects.has(id)) this.setProjects([...this.projects.values()].filter((project) => project.id !== id));
  }

  setFilters(filters) {
    this.#news.filters += 1;
    this.filters = new Map(filters.map((filter) => [filter.id, filter]));
    this.#tell("filters");
  }

  putFilter(filter) {
    this.#news.filters += 1;
    if (filter.deletedAt) this.filters.delete(filter.id);
    else this.filters.set(filter.id, filter);
    this.#tell("filters");
  }

  dropFilter(id) {
    this.#news.filters += 1;
    if (this.filters.delete(id)) this.#tell("filters");
  }

  async loadTags() {
    for (const { name } of await api.tags()) this.#tags.add(name);
  }

  // What the person does

  /**
   * Does operations of the bulk API at once here, and as soon as may be there. One gesture is one call, so that it is
   * undone as one.
   * @param options `base`, the description that another is written on top of
   * @returns {undo, done}: `undo()` takes all of it back, `done` settles when the server has answered
   */
  write(operations, label, options) {
    const parts = [];
    for (let start = 0; start < operations.length; start += bulkLimit) {
      parts.push(this.outbox.add(operations.slice(start, start + bulkLimit), label, options));
    }
    this.#layOver();
    const done = Promise.all(parts.map((part) => part.done));
    done.catch(() => {});
    return { done, undo: () => this.#undo(parts) };
  }

  /** May be tried again when there was no answer: what is undone already is passed by. */
  async #undo(parts) {
    for (const part of parts.filter((each) => !each.isUndone).reverse()) {
      if (this.outbox.takeBack(part.entry)) this.#layOver();
      else {
        const { operation } = await part.done;
        part.undoKey ??= idempotencyKey();
        const { tasks } = await api.undo(operation, part.undoKey);
        this.putTasks(tasks);
      }
      part.isUndone = true;
    }
  }

  #answered({ entry, answer, error }) {
    for (const [index, { task, version }] of (answer?.results ?? []).entries()) {
      if (task) {
        this.#putBelow(task);
        this.#put(task);
      } else {
        this.#assume(entry.operations[index], entry.at, version);
      }
    }
    if (answer) for (const { localId } of entry.operations) if (localId) this.#announced.add(localId);
    this.#layOver();
    if (!answer && !entry.undo) this.dispatchEvent(new CustomEvent("refused", { detail: { entry, error } }));
  }

  /** Works out the tasks that wait in the outbox anew, and tells which tasks look different now. */
  #layOver() {
    for (const id of this.#overlay.keys()) this.#announced.add(id);
    this.#overlay.clear();
    this.#byParent = this.#idsByParent = null;
    for (const entry of this.outbox.entries.filter((entry) => !entry.undo)) {
      for (const operation of entry.operations) this.#lay(operation, entry.at);
    }
    if (this.#announced.size > 0) this.#tell("tasks");
  }

  #lay(operation, at) {
    const id = operation.localId ?? operation.id;
    const task = this.#overlay.get(id) ?? this.#tasks.get(id);
    if (!task && operation.op !== "create") return;
    const next = applyOperation(task, operation, at, (moved) => this.siblings(moved));
    const changed = [next, ...(task ? this.#carried(task, next) : [])];
    for (const each of changed) {
      this.#overlay.set(each.id, each);
      this.#announced.add(each.id);
    }
    this.#byParent = null;
    if (next.parent !== task?.parent) this.#idsByParent = null;
  }

  /** The tasks below one that the server takes along when it becomes `next`, as they are then. */
  #carried(task, next, read = (id) => this.task(id)) {
    if (task.project === next.project && task.deletedAt === next.deletedAt) return [];
    const below = this.#below(task.id).map(read).filter(Boolean);
    return below.map((each) => carry(each, task, next)).filter((each, index) => each !== below[index]);
  }

  /** The ids of all tasks below one, in the bin too. */
  #below(id) {
    if (!this.#idsByParent) {
      this.#idsByParent = new Map();
      for (const task of this.tasks()) {
        if (!this.#idsByParent.has(task.parent)) this.#idsByParent.set(task.parent, []);
        this.#idsByParent.get(task.parent).push(task.id);
      }
    }
    const found = new Set([id]);
    // What is added meanwhile has its turn too.
    for (const each of found) for (const child of this.#idsByParent.get(each) ?? []) found.add(child);
    found.delete(id);
    return [...found];
  }

  /** An answer leaves out what would be too much: until the news of it come, a task is what it was to become. */
  #assume(operation, at, version) {
    const task = this.#tasks.get(operation.id);
    if (!task || task.version >= version) return;
    const next = applyOperation(task, operation, at, (moved) => this.siblings(moved));
    for (const each of [next, ...this.#carried(task, next, (id) => this.#tasks.get(id))]) {
      this.#tasks.set(each.id, each);
      this.#announced.add(each.id);
    }
  }

  /** An answer leaves out what went along with the task: the news of that come later, and must not be waited for. */
  #putBelow(task) {
    const known = this.#tasks.get(task.id);
    if (!known || !isOlder(known, task)) return;
    for (const below of this.#carried(known, task, (id) => this.#tasks.get(id))) {
      if (!isOlder(below, task)) continue;
      this.#tasks.set(below.id, below);
      this.#announced.add(below.id);
    }
  }

  #told = new Set();
  /** Tells once for all that changes in one turn of the event loop. */
  #tell(kind) {
    if (this.#told.size === 0) {
      queueMicrotask(() => {
        const kinds = [...this.#told];
        const ids = new Set(this.#announced);
        this.#told.clear();
        this.#announced.clear();
        for (const each of kinds) this.dispatchEvent(new CustomEvent(each, { detail: ids }));
      });
    }
    this.#told.add(kind);
  }
}

export const byPosition = (left, right) => compareText(left.position, right.position) || compareText(left.id, right.id);

/** Change numbers of one owner ascend; between owners (a task that moved to another's project) the clock decides. */
const isOlder = (left, right) => (left.user === right.user ? left.seq < right.seq : left.updatedAt < right.updatedAt);

export const store = new Store();

let made = 0;
/** The id of a new task until the server has given it one. Later ones are greater: new tasks stay in order. */
export function localId() {
  const time = Date.now().toString(36).padStart(9, "0");
  return `local-${time}-${String(made++).padStart(6, "0")}-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
}
