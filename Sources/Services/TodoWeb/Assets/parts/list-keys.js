// What keys do while a row of the list has the focus. Single letters only where the person has not turned them off.

import * as actions from "../actions.js";
import { store } from "../data/store.js";
import { collapsed } from "../preferences.js";
import { pickDue, pickPriority, pickProject, pickTags } from "./task-menu.js";

const page = 10;

/** Does what the key stands for; false when it stands for nothing here. */
export function keyCommand(list, event, lettersAreOn) {
  if (event.isComposing) return false;
  const onRow = event.target.getAttribute("role") === "row";
  const name = `${event.ctrlKey || event.metaKey ? "Mod+" : ""}${event.altKey ? "Alt+" : ""}${event.shiftKey ? "Shift+" : ""}${event.key}`;
  const command = commands[name] ?? (onRow ? rowCommands[name] : undefined) ?? (lettersAreOn ? letters[name] : undefined);
  return command ? command(list) !== false : false;
}

const active = (work) => (list) => (list.activeTask ? void work(list, list.activeTask) : false);
const targets = (work) => (list) => (list.targets.length ? void work(list.targets, list) : false);
const ordered = (work) => (list) => (list.activeTask && list.view.definition.canOrder && store.mayWrite(list.activeTask) ? void work(list.activeTask, list) : false);

const commands = {
  ArrowDown: (list) => list.move(1),
  ArrowUp: (list) => list.move(-1),
  "Shift+ArrowDown": (list) => list.move(1, { extend: true }),
  "Shift+ArrowUp": (list) => list.move(-1, { extend: true }),
  PageDown: (list) => list.move(page),
  PageUp: (list) => list.move(-page),
  Home: (list) => list.move(-Infinity),
  End: (list) => list.move(Infinity),
  "Mod+a": (list) => list.selectAll(),
  Escape: (list) => (list.selection.size ? void list.clearSelection() : false),
  F2: active((list, task) => list.editInline(task.id)),
  Delete: targets((tasks) => actions.remove(tasks)),
  "Alt+ArrowUp": ordered((task, list) => keep(list, task, () => actions.step(task, -1))),
  "Alt+ArrowDown": ordered((task, list) => keep(list, task, () => actions.step(task, 1))),
  "Alt+ArrowRight": ordered((task, list) => keep(list, task, () => actions.nest(task, 1))),
  "Alt+ArrowLeft": ordered((task, list) => keep(list, task, () => actions.nest(task, -1))),
};

/** Where the row itself has the focus, and not a button in it. */
const rowCommands = {
  Enter: active((list, task) => list.open(task.id)),
  " ": targets((tasks) => actions.toggleDone(tasks)),
  ArrowRight: active((list, task) => expand(list, task, true)),
  ArrowLeft: active((list, task) => expand(list, task, false)),
};

const letters = {
  j: (list) => list.move(1),
  k: (list) => list.move(-1),
  e: active((list, task) => list.editInline(task.id)),
  o: active((list, task) => list.open(task.id)),
  x: active((list, task) => list.select(task.id)),
  "Shift+X": active((list, task) => list.select(task.id, true)),
  c: targets((tasks) => actions.toggleDone(tasks)),
  d: targets((tasks, list) => pickDue(list.anchor, tasks)),
  p: targets((tasks, list) => pickPriority(list.anchor, tasks)),
  t: targets((tasks, list) => pickTags(list.anchor, tasks)),
  m: targets((tasks, list) => pickProject(list.anchor, tasks)),
  ".": active((list, task) => list.openActions(task.id)),
};

/** The task that was moved keeps the focus in its new place. */
function keep(list, task, work) {
  work();
  list.view.refresh();
  list.activate(task.id);
}

function expand(list, task, isOpen) {
  const row = list.rows.find((each) => each.id === task.id);
  if (row?.children && collapsed.has(task.id) === isOpen) list.toggleExpanded(task.id);
}
