// The actions of a task, and the panels to choose a priority, date, tag or project for one task or for many.

import * as actions from "../actions.js";
import { store } from "../data/store.js";
import { h } from "../lib/dom.js";
import { openMenu, openPopover } from "./overlay.js";
import { openDuePicker } from "./task-due-date.js";
import { priorities } from "./task-priority.js";
import { chooseRecurrence } from "./task-recurrence.js";
import { t } from "../texts.js";
import "./task-tags.js";

export function openTaskMenu(list, task, anchor) {
  if (!task) return;
  const pick = (open) => () => open(anchor, [task]);
  if (task.deletedAt) return openMenu(anchor, t("task.more", { title: task.title }), [{ label: t("task.restore"), icon: "undo", run: () => actions.restore([task]) }]);
  const mayWrite = store.mayWrite(task);
  const canOrder = mayWrite && list.view.definition.canOrder;
  openMenu(anchor, t("task.more", { title: task.title }), [
    { label: t("task.open"), icon: "list", key: "Enter", run: () => list.open(task.id) },
    { label: t("key.select"), icon: "check", key: "x", run: () => list.select(task.id) },
    mayWrite && { label: t("task.edit"), icon: "edit", key: "e", run: () => list.editInline(task.id) },
    mayWrite && null,
    mayWrite && { label: t("key.due"), icon: "calendar", key: "d", run: pick(pickDue) },
    mayWrite && task.status === "open" && { label: t("task.repeat"), icon: "repeat", run: () => chooseRecurrence(task) },
    mayWrite && { label: t("key.priority"), icon: "flag", key: "p", run: pick(pickPriority) },
    mayWrite && { label: t("key.tags"), icon: "tag", key: "t", run: pick(pickTags) },
    mayWrite && { label: t("task.moveTo"), icon: "folder", key: "m", run: pick(pickProject) },
    canOrder && null,
    canOrder && { label: t("task.moveUp"), key: "Alt+↑", run: () => arrange(list, task, () => actions.step(task, -1)) },
    canOrder && { label: t("task.moveDown"), key: "Alt+↓", run: () => arrange(list, task, () => actions.step(task, 1)) },
    canOrder && { label: t("task.indent"), key: "Alt+→", run: () => arrange(list, task, () => actions.nest(task, 1)) },
    canOrder && Boolean(task.parent) && { label: t("task.outdent"), key: "Alt+←", run: () => arrange(list, task, () => actions.nest(task, -1)) },
    mayWrite && null,
    mayWrite && actions.repeats(task) && { label: t("repeat.skip"), icon: "skip", run: () => actions.skip(task) },
    mayWrite && { label: t("task.delete"), icon: "bin", key: "Del", isDanger: true, run: () => actions.remove([task]) },
  ]);
}

function arrange(list, task, work) {
  work();
  list.view.refresh();
  list.activate(task.id);
}

const common = (tasks, name) => (tasks.every((task) => task[name] === tasks[0][name]) ? tasks[0][name] : undefined);

export function pickPriority(anchor, tasks) {
  const now = common(tasks, "priority");
  openMenu(anchor, t("task.priority"), priorities.map((each) => ({
    label: t(`priority.${each}`), icon: "flag", iconClass: `priority-${each}`, isChecked: each === now, run: () => actions.edit(tasks, { priority: each }),
  })));
}

export function pickDue(anchor, tasks) {
  openDuePicker(anchor, tasks.length === 1 ? tasks[0].due : null, (due) => actions.edit(tasks, { due }));
}

export function pickProject(anchor, tasks) {
  const now = common(tasks, "project");
  const projects = store.projectList.filter((project) => project.role !== "viewer" && !project.isArchived);
  openMenu(anchor, t("task.moveTo"), projects.map((project) => ({
    label: project.isInbox ? t("nav.inbox") : project.name, icon: project.isInbox ? "inbox" : "folder", isChecked: project.id === now,
    run: () => actions.moveToProject(tasks, project.id),
  })));
}

/** For one task its tags; for several what is added to each. */
export function pickTags(anchor, tasks) {
  const editor = h("task-tags");
  editor.value = tasks.length === 1 ? tasks[0].tags : [];
  editor.known = store.tags;
  editor.addEventListener("change", () => {
    if (tasks.length === 1) actions.edit(tasks, { tags: editor.value });
    else for (const tag of editor.value) actions.addTag(tasks.map((task) => store.task(task.id)).filter(Boolean), tag);
  });
  openPopover(anchor, { label: t("task.tags"), body: editor, className: "tags-popover" });
  editor.focus();
  store.loadTags().then(() => (editor.known = store.tags)).catch(() => {});
}
