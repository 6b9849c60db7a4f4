// <task-list>: the tasks of a view as a tree grid of which only the rows in sight are in the document, so that ten
// thousand tasks are as quick as ten. Rows have one height; each is put at its place in a box as high as them all.

import * as actions from "../actions.js";
import { store } from "../data/store.js";
import { eachFrame, h, isTyping } from "../lib/dom.js";
import { collapsed, preferences } from "../preferences.js";
import { t } from "../texts.js";
import { startDrag } from "./list-drag.js";
import { keyCommand } from "./list-keys.js";
import { openTaskMenu } from "./task-menu.js";
import { TaskRow, contextOf, rowNow } from "./task-row.js";

/** Rows drawn above and below those in sight. */
const margin = 12;

class TaskList extends HTMLElement {
  view = null;
  isDrawing = false;
  /** The row that a pointer is down on. */
  pressed = null;
  selection = new Set();
  #active = null;
  #anchor = null;
  #rows = new Map();
  #indexes = new Map();
  #lastIndex = 0;
  #probe = h("div", { class: "row-probe", "aria-hidden": "true" });
  #body = h("div", { role: "rowgroup", class: "rows" });
  #grid = h("div", { role: "treegrid", class: "grid", "aria-multiselectable": "true" }, this.#body);
  #status = h("div", { class: "list-status", role: "status" });
  #scroller = null;
  #draw = eachFrame(() => this.draw());
  #listening = new AbortController();

  connectedCallback() {
    this.#listening = new AbortController();
    const options = { signal: this.#listening.signal, passive: true };
    this.replaceChildren(this.#probe, this.#grid, this.#status);
    this.#scroller = this.closest(".scroller");
    this.#scroller.addEventListener("scroll", this.#draw, options);
    this.#sizes = new ResizeObserver(this.#draw);
    for (const element of [this.#scroller, this.#probe]) this.#sizes.observe(element);
    this.#grid.addEventListener("keydown", (event) => this.#key(event), { signal: this.#listening.signal });
    this.#grid.addEventListener("pointerdown", (event) => (this.pressed = event.target.closest(".row")), options);
    for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => this.pressed && setTimeout(() => this.#release()), options);
    this.#grid.addEventListener("focusin", (event) => this.#focused(event), options);
  }

  #sizes;
  disconnectedCallback() {
    this.#listening.abort();
    this.#sizes.disconnect();
  }

  /** Shows another view: from its top, nothing selected. */
  show(view) {
    this.view = view;
    this.selection.clear();
    this.#active = null;
    this.#lastIndex = 0;
    for (const row of this.#rows.values()) row.remove();
    this.#rows.clear();
    this.#grid.setAttribute("aria-label", t("list.label", { view: view.definition.title }));
    this.#grid.setAttribute("aria-readonly", String(Boolean(view.definition.isReadOnly)));
    view.addEventListener("change", () => this.view === view && this.#changed());
    this.#changed();
  }

  get rows() {
    return this.view?.rows ?? [];
  }

  get activeTask() {
    return this.#active && store.task(this.#active);
  }

  /** What a command is for: the selected tasks, or the one with the focus. */
  get targets() {
    const ids = this.selection.size ? this.rows.filter((row) => this.selection.has(row.id)).map((row) => row.id) : [this.#active];
    return ids.map((id) => id && store.task(id)).filter(Boolean);
  }

  #changed() {
    this.#indexes = new Map(this.rows.map((row, index) => [row.id, index]));
    this.#rename();
    this.#keepActive();
    const here = [...this.selection].map((id) => store.resolve(id)).filter((id) => this.#indexes.has(id));
    if (here.length !== this.selection.size || here.some((id) => !this.selection.has(id))) this.#selected(here);
    this.draw();
    this.#say();
    this.dispatchEvent(new Event("rows"));
  }

  /** A new task that the server has named keeps its row, and so the focus. */
  #rename() {
    for (const [id, row] of [...this.#rows]) {
      const known = store.resolve(id);
      if (known === id) continue;
      this.#rows.delete(id);
      this.#rows.get(known)?.element.remove();
      row.rename(known);
      this.#rows.set(known, row);
    }
  }

  /** A task that went away leaves the focus to the one that took its place. */
  #keepActive() {
    if (this.#active) this.#active = store.resolve(this.#active);
    const index = this.#indexes.get(this.#active);
    if (index !== undefined) {
      this.#lastIndex = index;
      return;
    }
    const tasks = this.rows.slice(this.#lastIndex).concat(this.rows.slice(0, this.#lastIndex).reverse());
    this.#active = tasks.find((row) => row.task)?.id ?? null;
  }

  #say() {
    const { view } = this;
    const isEmpty = view.count === 0;
    let text = "";
    if (view.error) text = view.error.status ? t("list.failed", { detail: view.error.message }) : t("list.unreachable");
    else if (isEmpty) text = view.isLoading ? t("list.loading") : view.definition.isFiltered ? t("empty.filtered") : view.definition.empty;
    if (this.#status.textContent !== text) this.#status.replaceChildren(text);
    this.#grid.hidden = isEmpty;
    this.#status.classList.toggle("is-empty", isEmpty);
  }

  // Drawing

  get rowHeight() {
    return this.#probe.offsetHeight || 44;
  }

  draw() {
    if (!this.view || !this.isConnected || this.hidden) return;
    const height = this.rowHeight;
    const top = this.#scroller.scrollTop - this.offsetTop;
    const first = Math.max(0, Math.floor(top / height) - margin);
    const last = Math.min(this.rows.length, Math.ceil((top + this.#scroller.clientHeight) / height) + margin);
    const wanted = [];
    for (let index = first; index < last; index++) wanted.push(index);
    // The row with the focus stays in the document when it is scrolled away.
    const active = this.#indexes.get(this.#active);
    if (active !== undefined && (active < first || active >= last)) active < first ? wanted.unshift(active) : wanted.push(active);
    this.#body.style.height = `${this.rows.length * height}px`;
    this.#grid.setAttribute("aria-rowcount", String(this.rows.length));
    this.#place(wanted, height);
  }

  #place(wanted, height) {
    const { focused, part } = this.#focusBefore();
    this.isDrawing = true;
    const isSelecting = this.selection.size > 0;
    const now = rowNow();
    const view = this.view.definition;
    const kept = new Set(wanted.map((index) => this.rows[index].id));
    for (const [id, row] of this.#rows) {
      if (kept.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    let next = this.#body.firstChild;
    for (const index of wanted) {
      const row = this.rows[index];
      let drawn = this.#rows.get(row.id);
      if (!drawn) this.#rows.set(row.id, (drawn = new TaskRow(row.id, this)));
      drawn.update({
        row, index, view, now, isSelecting, isActive: row.id === this.#active, isSelected: this.selection.has(row.id),
        context: row.task && contextOf(row.task, row, view), subtasks: row.task && row.children === 0 ? store.children(row.id).filter((child) => child.status === "open").length : 0,
      });
      drawn.element.style.transform = `translateY(${index * height}px)`;
      if (drawn.element === next) next = next.nextSibling;
      else this.#body.insertBefore(drawn.element, next);
    }
    this.isDrawing = false;
    if (focused) this.#focusAfter(part);
  }

  #focusBefore() {
    const element = document.activeElement;
    if (!this.#body.contains(element)) return { focused: false };
    return { focused: true, part: element.getAttribute("role") === "row" ? null : element };
  }

  #focusAfter(part) {
    if (this.#body.contains(document.activeElement)) return;
    if (part?.isConnected) part.focus({ preventScroll: true });
    else if (this.#active) this.#rows.get(this.#active)?.element.focus({ preventScroll: true });
    else this.dispatchEvent(new Event("empty"));
  }

  /** After the click, which follows the release of the pointer at once. */
  #release() {
    this.pressed = null;
    this.draw();
  }

  // Focus and selection

  #focused(event) {
    const id = event.target.closest?.("[data-id]")?.dataset.id;
    if (!id || id === this.#active || !this.#indexes.has(id) || !this.rows[this.#indexes.get(id)].task) return;
    this.#active = id;
    this.#lastIndex = this.#indexes.get(id);
    this.#draw();
  }

  /** Gives a task the focus and brings it into sight. */
  activate(id, { focus = true } = {}) {
    const known = store.resolve(id);
    // The server may have named it since the rows were worked out.
    if (!this.#indexes.has(known)) this.view.refresh();
    const index = this.#indexes.get(known);
    if (index === undefined) return;
    this.#active = known;
    this.#lastIndex = index;
    this.#reveal(index);
    this.draw();
    if (focus) this.#rows.get(known)?.element.focus({ preventScroll: true });
  }

  #reveal(index) {
    const height = this.rowHeight;
    const top = this.offsetTop + index * height;
    const { scrollTop, clientHeight } = this.#scroller;
    const inset = height;
    if (top < scrollTop + inset) this.#scroller.scrollTop = Math.max(0, top - inset);
    else if (top + height > scrollTop + clientHeight - inset) this.#scroller.scrollTop = top + height + inset - clientHeight;
  }

  /** Moves the focus by so many tasks, past the names of groups. */
  move(steps, { extend = false } = {}) {
    const tasks = this.rows.filter((row) => row.task);
    if (!tasks.length) return;
    const at = tasks.findIndex((row) => row.id === this.#active);
    const hasFocus = this.#body.contains(document.activeElement);
    const next = hasFocus ? Math.min(tasks.length - 1, Math.max(0, at + steps)) : Math.max(0, at);
    if (extend) {
      if (!this.#indexes.has(store.resolve(this.#anchor))) this.#anchor = this.#active;
      this.#selectRange(this.#anchor, tasks[next].id);
    } else this.#anchor = null;
    this.activate(tasks[next].id);
  }

  select(id, isRange = false) {
    // The server may have named it since it was drawn.
    this.view.catchUp();
    const known = store.resolve(id);
    if (isRange && this.#indexes.has(store.resolve(this.#anchor))) return this.#selectRange(this.#anchor, known);
    this.#anchor = known;
    const selection = new Set(this.selection);
    if (!selection.delete(known)) selection.add(known);
    this.#selected(selection);
  }

  #selectRange(from, to) {
    const [first, last] = [from, to].map((id) => this.#indexes.get(store.resolve(id))).sort((left, right) => left - right);
    this.#selected([...this.selection, ...this.rows.slice(first, last + 1).filter((row) => row.task).map((row) => row.id)]);
  }

  selectAll() {
    this.#selected(this.rows.filter((row) => row.task).map((row) => row.id));
  }

  clearSelection() {
    this.#anchor = null;
    this.#selected([]);
  }

  #selected(ids) {
    this.selection = new Set(ids);
    this.draw();
    this.dispatchEvent(new Event("selection"));
  }

  // Commands

  #key(event) {
    if (event.defaultPrevented || isTyping(event.target)) return;
    this.view.catchUp();
    if (keyCommand(this, event, preferences.shortcuts)) event.preventDefault();
  }

  open(id) {
    this.activate(id, { focus: false });
    this.dispatchEvent(new CustomEvent("open", { detail: id }));
  }

  toggleDone(id) {
    this.activate(id, { focus: false });
    actions.toggleDone([store.task(id)]);
  }

  toggleExpanded(id) {
    collapsed.toggle(id);
    this.view.refresh();
  }

  editInline(id) {
    this.activate(id);
    const task = store.task(id);
    const row = this.#rows.get(store.resolve(id));
    if (!row || !task || !store.mayWrite(task) || task.deletedAt) return;
    row.edit(task.title, (title) => {
      if (title && title !== task.title) actions.edit([task], { title });
      this.draw();
      this.activate(id);
    });
  }

  openActions(id) {
    this.activate(id);
    const row = this.#rows.get(store.resolve(id))?.element;
    openTaskMenu(this, store.task(id), row?.querySelector(".more-cell button") ?? row);
  }

  /** Where a panel for the task with the focus, or the selection, is to be put. */
  get anchor() {
    return this.#rows.get(this.#active)?.element.querySelector(".more-cell button") ?? this;
  }

  startDrag(event, id) {
    startDrag(this, event, store.resolve(id));
  }

  /** The place between rows that a drop would go to: where the line is drawn, or nowhere. */
  showDrop(index, depth = 0) {
    this.#drop.remove();
    if (index === null) return;
    this.#drop.style.transform = `translateY(${index * this.rowHeight}px)`;
    this.#drop.style.setProperty("--depth", depth);
    this.#body.append(this.#drop);
  }

  #drop = h("div", { class: "drop-line", role: "presentation" });
}

customElements.define("task-list", TaskList);
