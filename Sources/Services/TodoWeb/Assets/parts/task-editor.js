// The whole of one task, in a sheet at the side (all of the page on a phone). Every field is saved when it is left; a
// change that comes from elsewhere shows at once, except in the field that the person is in.

import * as actions from "../actions.js";
import { addressTask, addressedTask } from "../data/address.js";
import { api } from "../data/api.js";
import { draftOf, dropDraft, keepDraft } from "../data/drafts.js";
import { store } from "../data/store.js";
import { estimateName, momentName, parseEstimate } from "../lib/dates.js";
import { field, h, icon, isPhone } from "../lib/dom.js";
import { renderMarkdown } from "../lib/markdown.js";
import { openDialog } from "./overlay.js";
import { scopes } from "./series-scope.js";
import { setRecurrence } from "./task-recurrence.js";
import { t } from "../texts.js";
import { toast } from "./undo-toast.js";
import "./task-due-date.js";
import "./task-priority.js";
import "./task-reminders.js";
import "./task-tags.js";

const open = new Set();
const addressTop = () => addressTask([...open].findLast((each) => each.isOpen)?.task);
/** For a sheet that closes or whose task gets its id. A link to another task, which is being read, stays as it is. */
const addressAfter = (task) => store.resolve(addressedTask()) === task && addressTop();

/** Opens the sheet, of a task that no list has brought too, with the draft of its description that there may be. */
export async function openEditor(id) {
  if (!store.task(id) && !(await read(id))) return;
  const editor = [...open].find((each) => each.shows(id)) ?? new TaskEditor(id);
  editor.showDraft();
}

let asked = 0;
/** Asks for a task; false when there is none, and when the person has gone on meanwhile, be it to another one. */
async function read(id) {
  const now = ++asked;
  const { hash } = location;
  const isWanted = () => now === asked && location.hash === hash;
  try {
    store.putTasks([await api.task(id)]);
  } catch (error) {
    if (!store.me || !isWanted()) return false;
    addressTop();
    toast(error.status === 404 ? t("task.gone") : error.message);
  }
  return isWanted() && Boolean(store.task(id));
}

class TaskEditor {
  #id;
  #dialog;
  #listening = new AbortController();
  #fields = {};
  /** The {version, description} that the person sees who is writing another one. */
  #read = null;
  /** Whether what they write is only theirs until they choose. */
  #isDraft = false;

  constructor(id) {
    this.#id = id;
    const body = this.#build();
    this.#dialog = openDialog({ title: t("task.open"), body, className: "sheet editor", onclose: () => this.#closed() });
    open.add(this);
    addressTop();
    this.#fields.name = this.#dialog.querySelector(".dialog-title");
    this.#fields.name.classList.add("visually-hidden");
    store.addEventListener("tasks", () => this.#show(), { signal: this.#listening.signal });
    store.outbox.addEventListener("rename", () => addressAfter(this.task), { signal: this.#listening.signal });
    this.#show();
    this.#loadAround();
    // On a phone the keyboard would cover half of what one came to read.
    if (!isPhone()) this.#fields.title.focus({ preventScroll: true });
  }

  #closed() {
    this.#saveDescription();
    this.#listening.abort();
    open.delete(this);
    addressAfter(this.task);
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** The id of its task. */
  get task() {
    return store.resolve(this.#id);
  }

  shows(id) {
    return this.isOpen && this.task === store.resolve(id);
  }

  get #task() {
    return store.task(this.#id);
  }

  /** Of a task that repeats, as far as the person has chosen at the top. */
  #save(patch, options) {
    if (this.#task) return actions.update([this.#task], patch, { scope: this.#fields.scope.value, ...options });
  }

  async #loadAround() {
    try {
      const id = store.resolve(this.#id);
      const [{ items }] = await Promise.all([api.tasks({ parent: id, limit: 200, q: "status:any sort:position" }), store.loadTags()]);
      store.putTasks(items);
      if (this.#task?.parent && !store.task(this.#task.parent)) store.putTasks([await api.task(this.#task.parent)]);
      this.#fields.tags.known = store.tags;
      this.#show();
    } catch {
      // What is known already is shown; the state of the connection is shown elsewhere.
    }
  }

  #build() {
    const fields = this.#fields;
    fields.done = h("button", { type: "button", role: "checkbox", class: "complete", onclick: () => actions.toggleDone([this.#task]) }, icon("check"));
    fields.parent = h("button", { type: "button", class: "link-button", onclick: () => this.#openOther(this.#task.parent) });
    fields.title = h("textarea", {
      class: "editor-title", rows: 1, maxLength: 500, "aria-label": t("task.title"),
      onkeydown: (event) => event.key === "Enter" && !event.isComposing && (event.preventDefault(), event.target.blur()),
      onchange: () => this.#saveTitle(),
    });
    fields.titleError = h("p", { class: "form-error", role: "alert" });
    fields.rendered = h("div", { class: "markdown", onclick: (event) => !event.target.closest("a") && !getSelection().toString() && this.#editDescription() });
    fields.editDescription = h("button", { type: "button", class: "button quiet", onclick: () => this.#editDescription() }, icon("edit"), t("task.descriptionEdit"));
    fields.description = h("textarea", { class: "editor-description", rows: 6, maxLength: 20000, oninput: () => this.#isDraft && keepDraft(this.#id, fields.description.value), onblur: () => this.#leaveDescription(), onkeydown: (event) => this.#descriptionKey(event) });
    fields.descriptionBox = field(t("task.description"), fields.description, t("task.descriptionHint"));
    fields.descriptionBox.hidden = true;
    fields.saveDraft = h("button", { type: "button", class: "button primary", onclick: () => this.#saveDraft() }, t("task.draftSave"));
    fields.draft = h("div", { class: "stack", hidden: true }, h("p", { class: "notice" }, t("task.draft")),
      h("div", { class: "actions" }, h("button", { type: "button", class: "button", onclick: () => this.#discardDraft() }, t("task.draftDiscard")), fields.saveDraft));
    fields.project = h("select", { onchange: () => actions.moveToProject([this.#task], fields.project.value) });
    fields.priority = h("task-priority", { onchange: () => this.#save({ priority: fields.priority.value }) });
    fields.due = h("task-due-date", { onchange: () => this.#save({ due: fields.due.value }) });
    fields.recurrence = h("task-recurrence", { onchange: () => setRecurrence(this.#task, fields.recurrence.value, fields.recurrence.due) });
    fields.reminders = h("task-reminders");
    fields.scope = h("select", {}, scopes.map((each) => h("option", { value: each, selected: each === "following" }, t(`scope.${each}`))));
    fields.scopeBox = h("label", { class: "filter" }, h("span", {}, t("scope.label")), fields.scope);
    // The digits of a year that is typed are told one by one: 0002, 0020, 0202.
    fields.start = h("input", { type: "date", min: "1000-01-01", max: "9999-12-31", onchange: () => fields.start.validity.valid && this.#save({ start: fields.start.value || null }) });
    fields.estimate = h("input", { type: "text", placeholder: t("task.estimatePlaceholder"), autocomplete: "off", onchange: () => this.#saveEstimate() });
    fields.estimateError = h("p", { class: "form-error", role: "alert" });
    fields.status = h("select", { onchange: () => this.#save({ status: fields.status.value }, { scope: "this" }) }, ["open", "done", "cancelled"].map((each) => h("option", { value: each }, t(`status.${each}`))));
    fields.tags = h("task-tags", { onchange: () => this.#save({ tags: fields.tags.value }) });
    fields.subtasks = h("ul", { class: "subtasks" });
    fields.newSubtask = h("input", { type: "text", placeholder: t("add.subtask"), "aria-label": t("add.subtask"), maxLength: 500, autocomplete: "off" });
    fields.subtaskForm = h("form", { class: "subtask-form", onsubmit: (event) => this.#addSubtask(event) }, icon("plus"), fields.newSubtask);
    fields.times = h("p", { class: "hint" });
    fields.remove = h("button", { type: "button", class: "button danger", onclick: () => this.#removeOrRestore() });
    fields.readOnly = h("p", { class: "notice" }, t("task.readOnly"));
    const labelled = (label, control) => h("div", { class: "field", role: "group", "aria-label": label }, h("span", { class: "label", "aria-hidden": "true" }, label), control);
    return [
      fields.readOnly, h("div", {}, fields.scopeBox),
      h("div", { class: "editor-head" }, fields.done, h("div", { class: "grow" }, fields.parent, fields.title, fields.titleError)),
      h("section", { class: "editor-text" }, fields.rendered, fields.editDescription, fields.descriptionBox, fields.draft),
      h("div", { class: "editor-fields" },
        field(t("task.project"), fields.project), labelled(t("task.due"), fields.due), labelled(t("task.repeat"), fields.recurrence), labelled(t("task.priority"), fields.priority),
        field(t("task.status"), fields.status), field(t("task.start"), fields.start),
        h("div", {}, field(t("task.estimate"), fields.estimate), fields.estimateError)),
      labelled(t("task.tags"), fields.tags),
      h("section", { "aria-label": t("task.reminders") }, h("h3", {}, t("task.reminders")), fields.reminders),
      h("section", { "aria-label": t("task.subtasks") }, h("h3", {}, t("task.subtasks")), fields.subtasks, fields.subtaskForm),
      h("div", { class: "actions" }, fields.times, h("span", { class: "spacer" }), fields.remove),
    ];
  }

  #show() {
    const task = this.#task;
    if (!task) return this.#dialog?.close();
    const fields = this.#fields;
    const isLocked = !store.mayWrite(task) || Boolean(task.deletedAt);
    const isDone = task.status !== "open";
    fields.readOnly.hidden = store.mayWrite(task);
    fields.done.className = `complete priority-${task.priority}`;
    fields.done.setAttribute("aria-checked", String(isDone));
    fields.done.setAttribute("aria-label", t(isDone ? "task.reopen" : "task.complete", { title: task.title }));
    const parent = task.parent && store.task(task.parent);
    fields.parent.hidden = !parent;
    if (parent) fields.parent.replaceChildren(t("task.partOf", { title: parent.title }));
    fields.name.replaceChildren(task.title);
    setUnlessFocused(fields.title, task.title);
    if (fields.descriptionBox.hidden) this.#showDescription();
    this.#showProjects(task);
    fields.scopeBox.parentElement.hidden = isLocked || !actions.repeats(task);
    fields.reminders.task = task.id;
    fields.recurrence.due = task.due;
    for (const name of ["priority", "due", "recurrence", "tags"]) if (!fields[name].contains(document.activeElement) || name !== "tags") fields[name].value = task[name];
    setUnlessFocused(fields.start, task.start ?? "");
    setUnlessFocused(fields.estimate, task.estimate ? estimateName(task.estimate) : "");
    fields.status.value = task.status;
    this.#showSubtasks();
    fields.times.replaceChildren(`${t("task.created", { when: momentName(task.createdAt) })}, ${t("task.updated", { when: momentName(task.updatedAt) })}`);
    fields.remove.replaceChildren(icon(task.deletedAt ? "undo" : "bin"), t(task.deletedAt ? "task.restore" : "task.delete"));
    fields.remove.hidden = !store.mayWrite(task);
    fields.subtaskForm.hidden = isLocked;
    fields.editDescription.hidden = isLocked || !fields.descriptionBox.hidden;
    fields.saveDraft.disabled = isLocked;
    for (const name of ["done", "title", "description", "project", "priority", "due", "recurrence", "start", "estimate", "status", "tags"]) fields[name].disabled = isLocked;
    if (isDone) fields.recurrence.disabled = true;
  }

  /** News of a task must not close the list that a person chooses from. */
  #showProjects({ project: now }) {
    const select = this.#fields.project;
    const choices = store.projectList.filter(({ id, role }) => id === now || role !== "viewer").map(({ id, isInbox, name }) => [id, isInbox ? t("nav.inbox") : name]);
    const isSame = choices.length === select.length && choices.every(([id, name], index) => select[index].value === id && select[index].text === name);
    if (!isSame) select.replaceChildren(...choices.map(([value, name]) => h("option", { value }, name)));
    select.value = now;
  }

  #showSubtasks() {
    const focused = this.#fields.subtasks.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.#fields.subtasks.replaceChildren(...store.children(this.#id).map((child) => {
      const isDone = child.status !== "open";
      return h("li", { class: isDone ? "is-done" : "" },
        h("button", {
          type: "button", role: "checkbox", class: `complete priority-${child.priority}`, "aria-checked": String(isDone), "data-key": `done ${child.id}`,
          "aria-label": t(isDone ? "task.reopen" : "task.complete", { title: child.title }), onclick: () => actions.toggleDone([child]),
        }, icon("check")),
        h("button", { type: "button", class: "title", "data-key": `open ${child.id}`, onclick: () => this.#openOther(child.id) }, child.title));
    }));
    if (focused) [...this.#fields.subtasks.querySelectorAll("button")].find((button) => button.dataset.key === focused)?.focus();
  }

  #openOther(id) {
    this.#dialog.close();
    openEditor(id);
  }

  #saveTitle() {
    const title = this.#fields.title.value.replace(/\s+/g, " ").trim();
    this.#fields.titleError.replaceChildren(title ? "" : t("task.titleMissing"));
    if (title && title !== this.#task.title) this.#save({ title });
    else if (!title) this.#fields.title.value = this.#task.title;
  }

  #saveEstimate() {
    const text = this.#fields.estimate.value.trim();
    const minutes = text ? parseEstimate(text) : null;
    const isWrong = text !== "" && minutes === null;
    this.#fields.estimateError.replaceChildren(isWrong ? t("task.estimateWrong") : "");
    this.#fields.estimate.ariaInvalid = String(isWrong);
    if (!isWrong) this.#save({ estimate: minutes });
  }

  #editDescription() {
    const { description, descriptionBox, rendered, editDescription } = this.#fields;
    if (description.disabled || this.#isDraft) return;
    this.#readDescription();
    description.value = this.#read.description;
    descriptionBox.hidden = false;
    rendered.hidden = true;
    editDescription.hidden = true;
    description.focus();
  }

  #readDescription() {
    const { version, description } = this.#task;
    this.#read = { version, description };
  }

  /** Goes on with a text that somebody else's came before, which is shown beside it. */
  showDraft() {
    const draft = draftOf(this.#id);
    const { description, descriptionBox, editDescription } = this.#fields;
    if (draft === undefined) return;
    if (this.#isDraft) return void (description.value = draft);
    if (draft === this.#task.description) return dropDraft(this.#id);
    const isWriting = !descriptionBox.hidden;
    // Whoever is writing again goes on, most likely from that text.
    const hasText = isWriting && this.#read.description === draft;
    const text = !isWriting ? draft : hasText ? description.value : `${description.value}\n\n${draft}`;
    this.#showDescription(true);
    this.#readDescription();
    this.#markDraft(true);
    keepDraft(this.#id, text);
    description.value = text;
    descriptionBox.hidden = false;
    editDescription.hidden = true;
  }

  #markDraft(isDraft) {
    this.#isDraft = isDraft;
    this.#fields.draft.hidden = !isDraft;
    if (!isDraft) dropDraft(this.#id);
  }

  #saveDraft() {
    this.#markDraft(false);
    this.#saveDescription();
    this.#showDescription(true);
    this.#fields.editDescription.focus();
  }

  #discardDraft() {
    const text = this.#fields.description.value;
    this.#markDraft(false);
    this.#showDescription(true);
    this.#fields.editDescription.focus();
    toast(t("task.draftDiscarded"), { label: t("undo.undo"), run: () => {
      keepDraft(this.#id, text);
      openEditor(this.#id);
    } });
  }

  #descriptionKey(event) {
    const isSent = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (this.#isDraft) return isSent && !this.#fields.saveDraft.disabled && this.#saveDraft();
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.#fields.description.value = this.#task.description;
      this.#showDescription(true);
      this.#fields.editDescription.focus();
    } else if (isSent) event.target.blur();
  }

  #leaveDescription() {
    if (this.#isDraft) return;
    this.#saveDescription();
    this.#showDescription();
  }

  #saveDescription() {
    const text = this.#fields.description.value;
    const task = this.#task;
    if (!task || this.#isDraft || this.#fields.descriptionBox.hidden || text === this.#read.description) return;
    if (text !== task.description) actions.describe(task, text, { read: this.#read, scope: this.#fields.scope.value });
    // The person may come back to the field, such as from another window, and write on.
    this.#read = { ...this.#read, description: text };
  }

  #showDescription(isForced = false) {
    const { description, descriptionBox, rendered, editDescription } = this.#fields;
    if (!isForced && document.activeElement === description) return;
    const text = this.#task?.description ?? "";
    descriptionBox.hidden = true;
    rendered.hidden = !text;
    editDescription.hidden = description.disabled;
    editDescription.replaceChildren(icon("edit"), t(text ? "task.descriptionEdit" : "task.descriptionEmpty"));
    if (rendered.dataset.text === text) return;
    rendered.dataset.text = text;
    rendered.replaceChildren(renderMarkdown(text));
  }

  #addSubtask(event) {
    event.preventDefault();
    const title = this.#fields.newSubtask.value.trim();
    if (!title) return;
    this.#fields.newSubtask.value = "";
    actions.create({ title, parent: this.#id }, { silently: true });
  }

  #removeOrRestore() {
    const task = this.#task;
    if (task.deletedAt) actions.restore([task]);
    else {
      this.#dialog.close();
      actions.remove([task]);
    }
  }
}

function setUnlessFocused(control, value) {
  if (document.activeElement !== control && control.value !== value) control.value = value;
}
