// One row of the list. It is drawn again only when what it shows has changed; tasks are never changed in place, so that
// comparing references is enough.

import { store } from "../data/store.js";
import { dueDay, dueName, today } from "../lib/dates.js";
import { h, icon, iconButton } from "../lib/dom.js";
import { recurrenceName } from "./task-recurrence.js";
import { t } from "../texts.js";

export class TaskRow {
  #shown = {};
  #commit = null;

  constructor(id, list) {
    this.list = list;
    this.element = h("div", { role: "row", class: "row" });
    this.rename(id);
  }

  rename(id) {
    this.element.id = `row-${id}`;
    this.element.dataset.id = id;
  }

  /** `state` is {row, index, view, isActive, isSelected, isSelecting, now} */
  update(state) {
    const { row, index, isActive, isSelected, isSelecting } = state;
    const element = this.element;
    element.setAttribute("aria-rowindex", String(index + 1));
    if (row.group) return this.#group(row.group);
    const isSame = ["row.task", "row.depth", "row.children", "row.isCollapsed", "view", "now", "isSelecting"].every((path) =>
      value(state, path) === value(this.#shown, path)) && state.context === this.#shown.context && state.subtasks === this.#shown.subtasks;
    // Under a finger nothing is taken away: the click would go nowhere.
    const isFree = !this.isEditing && this.list.pressed !== element;
    if (!isSame && isFree) this.#draw(state);
    if (isSame || isFree) this.#shown = state;
    element.classList.toggle("is-active", isActive);
    element.classList.toggle("is-selecting", isSelecting);
    element.setAttribute("aria-selected", String(isSelected));
    const checkbox = element.querySelector(".select");
    if (checkbox) checkbox.checked = isSelected;
    element.tabIndex = isActive ? 0 : -1;
    for (const control of element.querySelectorAll("button, input")) control.tabIndex = isActive || this.isEditing ? 0 : -1;
  }

  #group(name) {
    if (this.#shown.group === name) return;
    this.#shown = { group: name };
    this.element.className = "row row-group";
    this.element.replaceChildren(h("span", { role: "rowheader", class: "group-name" }, name));
  }

  #draw({ row, view, now, context, subtasks }) {
    const { task, depth } = row;
    const { element, list } = this;
    const isDone = task.status !== "open";
    const title = task.title;
    element.className = `row${isDone ? " is-done" : ""}${task.deletedAt ? " is-deleted" : ""}`;
    element.setAttribute("aria-level", String(depth + 1));
    if (row.children) element.setAttribute("aria-expanded", String(!row.isCollapsed));
    else element.removeAttribute("aria-expanded");
    element.style.setProperty("--depth", depth);
    const isReadOnly = !store.mayWrite(task);
    const meta = metaOf(task, view, now, context, subtasks);
    // Else its name would be those of all its buttons.
    element.setAttribute("aria-label", [title, isDone && t(`status.${task.status}`), ...meta.map((part) => part.textContent)].filter(Boolean).join(", "));
    const complete = h("button", {
      type: "button", role: "checkbox", "aria-checked": String(isDone), class: `complete priority-${task.priority}`, disabled: isReadOnly || Boolean(task.deletedAt),
      "aria-label": t(isDone ? "task.reopen" : "task.complete", { title }), onclick: () => list.toggleDone(task.id),
    }, icon("check"));
    const canDrag = view.canOrder && !isReadOnly;
    const cells = [
      cell("grip-cell", canDrag && iconButton("grip", t("task.drag", { title }), { class: "icon-button grip", onpointerdown: (event) => list.startDrag(event, task.id), onclick: () => list.openActions(task.id) })),
      cell("select-cell", h("label", { class: "select-target" }, h("input", { type: "checkbox", class: "select", "aria-label": t("task.select", { title }), onclick: (event) => list.select(task.id, event.shiftKey) }))),
      cell("complete-cell", complete),
      cell("title-cell", h("button", { type: "button", class: "title", onclick: () => list.open(task.id) }, title),
        !isReadOnly && !task.deletedAt && iconButton("edit", t("task.edit"), { class: "icon-button edit-inline", onclick: () => list.editInline(task.id) })),
      row.children > 0 && cell("expand-cell", h("button", {
        type: "button", class: `expand${row.isCollapsed ? "" : " is-open"}`, "aria-label": t(row.isCollapsed ? "task.expand" : "task.collapse", { title }), onclick: () => list.toggleExpanded(task.id),
      }, row.children, icon("chevron"))),
      cell("meta", meta),
      cell("more-cell", iconButton("more", t("task.more", { title }), { "aria-haspopup": "menu", onclick: () => list.openActions(task.id) })),
    ];
    fillCells(element, cells.filter(Boolean));
  }

  /** Takes the row out of the list. What somebody was typing in it is not lost, but waits until the list is drawn. */
  remove() {
    this.element.remove();
    if (this.isEditing) queueMicrotask(this.#commit);
  }

  get isEditing() {
    return Boolean(this.element.querySelector(".inline-edit"));
  }

  /** Puts an input in the place of the title. `finish(text)` is called with null when the person gives up. */
  edit(title, finish) {
    const cell = this.element.querySelector(".title-cell");
    if (!cell || this.isEditing) return;
    let isOver = false;
    const end = (text) => {
      if (isOver) return;
      isOver = true;
      input.remove();
      this.#shown = {};
      finish(text);
    };
    this.#commit = () => end(input.value.trim());
    const input = h("input", {
      type: "text", class: "inline-edit", value: title, maxLength: 500, "aria-label": t("task.title"),
      onkeydown: (event) => {
        event.stopPropagation();
        if (event.key === "Enter" && !event.isComposing) {
          // What is asked next must not be answered by this key.
          event.preventDefault();
          this.#commit();
        }
        if (event.key === "Escape") end(null);
      },
      onblur: () => this.list.isDrawing || queueMicrotask(this.#commit),
    });
    cell.replaceChildren(input);
    input.focus();
    input.select();
  }
}

const value = (object, path) => path.split(".").reduce((part, name) => part?.[name], object);

const cell = (className, ...children) => h("span", { role: "gridcell", class: className }, children);

/** Where the focus is inside a row that is drawn anew, it goes to the same control of the new cells. */
function fillCells(element, cells) {
  const focused = element.contains(document.activeElement) && document.activeElement !== element ? document.activeElement : null;
  const className = focused?.closest("[role=gridcell]")?.className;
  const index = focused ? [...focused.parentElement.children].indexOf(focused) : -1;
  element.replaceChildren(...cells);
  if (className) (element.querySelector(`.${className.split(" ")[0]}`)?.children[index] ?? element).focus();
}

function metaOf(task, view, now, context, subtasks) {
  const parts = [];
  if (context) parts.push(h("span", { class: "meta-context" }, context));
  if (task.description) parts.push(h("span", { class: "meta-icon", title: t("task.description") }, icon("list"), hidden(t("task.description"))));
  if (subtasks) parts.push(h("span", { class: "meta-subtasks" }, t("task.subtaskCount", { n: subtasks })));
  for (const tag of task.tags.slice(0, 3)) parts.push(h("span", { class: "tag" }, tag));
  if (task.tags.length > 3) parts.push(h("span", { class: "tag" }, `+${task.tags.length - 3}`));
  if (task.priority !== "none") {
    parts.push(h("span", { class: `meta-priority priority-${task.priority}` }, icon("flag"), h("span", {}, t(`priority.${task.priority}`))));
  }
  if (task.due) {
    const when = dueName(task.due, now, store.me?.zone);
    const day = dueDay(task.due, store.me);
    const tone = task.status !== "open" ? "" : day < now ? " is-overdue" : day === now ? " is-today" : "";
    parts.push(h("span", { class: `meta-due${tone}` }, icon("calendar"), when, tone === " is-overdue" && hidden(`, ${t("date.overdue")}`)));
  }
  if (task.recurrence && task.status === "open") {
    const how = recurrenceName(task.recurrence);
    parts.push(h("span", { class: "meta-repeat", title: how }, icon("repeat"), h("span", {}, how)));
  }
  return parts;
}

const hidden = (text) => h("span", { class: "visually-hidden" }, text);

/** Where the task is, for views that mix projects, and what it is a part of where that is not shown above it. */
export function contextOf(task, row, view) {
  const parent = task.parent && row.depth === 0 ? store.task(task.parent)?.title : null;
  const project = view.project || !store.projects.has(task.project) ? null : store.projects.get(task.project);
  const name = project && (project.isInbox ? t("nav.inbox") : project.name);
  return [name, parent].filter(Boolean).join(" › ") || null;
}

export const rowNow = () => today(store.me);
