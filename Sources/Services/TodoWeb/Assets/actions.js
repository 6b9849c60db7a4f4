// What a person can do to tasks and take back. Each gesture is one write, which shows at once and is undone as a whole.

import { Unreachable, api } from "./data/api.js";
import { localId, store } from "./data/store.js";
import { forgetLists } from "./data/task-view.js";
import { writeRoute } from "./data/views.js";
import { askScope } from "./parts/series-scope.js";
import { announce, toast } from "./parts/undo-toast.js";
import { t } from "./texts.js";

const undoLimit = 50;
const history = [];

/** Keeps what was `written` for undo. With `says` the person is told, with the offer to undo. */
function keep(written, says) {
  history.push(written);
  if (history.length > undoLimit) history.shift();
  if (says) toast(says, { label: t("undo.undo"), run: () => undo(written) });
  return written;
}

const write = (operations, says, options) => (operations.length ? keep(store.write(operations, says, options), says) : null);

async function undo(written) {
  const index = history.indexOf(written);
  if (index < 0) return;
  history.splice(index, 1);
  try {
    await written.undo();
    toast(t("undo.done"));
  } catch (error) {
    // Nothing else is to be undone in its place by the next attempt.
    if (error instanceof Unreachable) history.splice(index, 0, written);
    toast(t("undo.failed", { detail: error.message }));
  }
}

export const undoLast = () => (history.length ? undo(history.at(-1)) : toast(t("undo.nothing")));
export const forgetHistory = () => history.splice(0);

const each = (tasks, op) => tasks.map((task) => ({ op, id: store.resolve(task.id) }));
const writable = (tasks) => tasks.filter((task) => store.mayWrite(task));

/** Whether it is one of a series: more of them come. */
export const repeats = (task) => Boolean(task.recurrence) && task.status === "open" && !task.deletedAt;
const scoped = (task, scope) => scope && repeats(task) && { scope };

/** Asks first how far it is to reach, where one of the tasks repeats. */
function withScope(tasks, kind, work) {
  const series = writable(tasks).filter(repeats);
  if (series.length === 0) work();
  else askScope(kind, series.length).then((scope) => scope && work(scope));
}

export function complete(tasks) {
  const open = writable(tasks).filter((task) => task.status === "open");
  return write(each(open, "complete"), t("undo.completed", { n: open.length }));
}

export function reopen(tasks) {
  const closed = writable(tasks).filter((task) => task.status !== "open");
  return write(each(closed, "reopen"), t("undo.reopened", { n: closed.length }));
}

/** Completes; what is completed already is opened again. */
export const toggleDone = (tasks) => (tasks.every((task) => task.status !== "open") ? reopen(tasks) : complete(tasks));

export const remove = (tasks) => withScope(tasks, "delete", (scope) => removeWithin(scope, tasks));

/** Of a task that repeats: this one is left out, the next one comes. */
export const skip = (task) => removeWithin("this", [task]);

function removeWithin(scope, tasks) {
  const there = writable(tasks).filter((task) => !task.deletedAt);
  // The server takes the subtasks along: those that are selected too need no operation of their own.
  const ids = new Set(there.map((task) => task.id));
  const tops = there.filter((task) => !hasAncestor(task, ids));
  const operations = tops.map((task) => ({ op: "delete", id: store.resolve(task.id), ...scoped(task, scope) }));
  return write(operations, t(scope === "this" && tops.every(repeats) ? "undo.skipped" : "undo.deleted", { n: there.length }));
}

function hasAncestor(task, ids) {
  for (let parent = task.parent, steps = 0; parent && steps < 100; parent = store.task(parent)?.parent, steps++) {
    if (ids.has(parent)) return true;
  }
  return false;
}

export const restore = (tasks) => write(each(writable(tasks), "restore"), t("undo.restored", { n: tasks.length }));

/** Sets members of tasks. One task changes silently, for the change is before the person's eyes; several are told. */
export function update(tasks, patch, { scope } = {}) {
  return updateEach(tasks, () => patch, { scope });
}

/** Writes a description only on top of the one that the person had `read`, for two who write must not lose one. */
export function describe(task, description, { read, scope }) {
  const ifMatch = read.version > 0 ? `"${read.version}"` : undefined;
  return updateEach([task], () => ({ description }), { ifMatch, scope, base: read.description });
}

/** As `update`; of tasks that repeat the person is asked how far it is to reach. */
export const edit = (tasks, patch) => withScope(tasks, "edit", (scope) => update(tasks, patch, { scope }));

export function addTag(tasks, tag) {
  const without = tasks.filter((task) => !task.tags.includes(tag));
  withScope(without, "edit", (scope) => updateEach(without, (task) => ({ tags: [...task.tags, tag].sort() }), { scope }, tasks.length));
}

function updateEach(tasks, patchOf, { ifMatch, scope, base }, count = tasks.length) {
  const operations = writable(tasks).map((task) => ({ op: "update", id: store.resolve(task.id), ...(ifMatch && { ifMatch }), patch: { ...whole(patchOf(task), task), ...scoped(task, scope) } }));
  return write(operations, count > 1 ? t("undo.updated", { n: operations.length }) : undefined, { base });
}

/** Without a due date nothing repeats. */
const whole = (patch, task) => (patch.due === null && task.recurrence ? { ...patch, recurrence: null } : patch);

export function moveToProject(tasks, project) {
  const ids = new Set(tasks.map((task) => task.id));
  const elsewhere = writable(tasks).filter((task) => task.project !== project && !hasAncestor(task, ids));
  const operations = elsewhere.map((task) => ({ op: "move", id: store.resolve(task.id), move: { project, parent: null } }));
  return write(operations, t("undo.moved", { n: elsewhere.length }));
}

/** Makes a task; `draft` is in the form of the API. */
export function create(draft, { silently = false } = {}) {
  const id = localId();
  const project = draft.project ?? (draft.parent && store.task(draft.parent)?.project) ?? store.inbox?.id;
  const task = { ...draft, project, ...(draft.parent && { parent: store.resolve(draft.parent) }) };
  const written = write([{ op: "create", localId: id, task }], silently ? undefined : t("undo.created", { n: 1 }));
  announce(t("add.added", { title: draft.title }));
  return { id, ...written };
}

/** `move` is {parent?, after?, before?}. */
export function place(task, move) {
  const resolved = Object.fromEntries(Object.entries(move).map(([name, id]) => [name, id && store.resolve(id)]));
  write([{ op: "move", id: store.resolve(task.id), move: resolved }]);
  const list = store.siblings(store.task(task.id));
  const place = list.findIndex((other) => other.id === store.resolve(task.id)) + 1;
  announce(t("task.movedTo", { title: task.title, place, count: list.length }));
}

/** Up (-1) or down (1) among its open siblings, in (1) or out (-1) of its parent; says so when it cannot go further. */
export function step(task, direction) {
  const list = openSiblings(task);
  const target = list[list.findIndex((other) => other.id === task.id) + direction];
  if (!target) return announce(t("task.cannotMove"));
  place(task, direction < 0 ? { before: target.id } : { after: target.id });
}

export function nest(task, direction) {
  if (direction > 0) {
    const list = openSiblings(task);
    const above = list[list.findIndex((other) => other.id === task.id) - 1];
    if (!above) return announce(t("task.cannotMove"));
    const last = store.children(above.id).at(-1);
    return place(task, { parent: above.id, after: last?.id ?? null });
  }
  const parent = task.parent && store.task(task.parent);
  if (!parent) return announce(t("task.cannotMove"));
  place(task, { parent: parent.parent ?? null, after: parent.id });
}

/** Its tasks go to the bin with it. */
export async function removeProject({ id, name }) {
  await api.deleteProject(id);
  store.dropProject(id);
  location.hash = writeRoute({ name: "inbox" });
  keep({ undo: () => restoreProject(id) }, t("project.gone", { name }));
}

/** Takes a project out of the bin, with the tasks that went there with it, and goes there. */
export async function restoreProject(id) {
  store.putProject(await api.restoreProject(id));
  // Its tasks are news that may take a moment.
  forgetLists();
  location.hash = writeRoute({ name: "project", id });
}

const openSiblings = (task) => store.siblings(task).filter((other) => other.status === "open");
