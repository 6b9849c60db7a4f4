// <task-recurrence>: shows and sets how a task repeats. `value` is null or the recurrence of the API, `due` that of the
// task; "change" says that one of them is another: a task that repeats has a due date.

import * as actions from "../actions.js";
import { h, icon } from "../lib/dom.js";
import { openRecurrenceForm } from "./recurrence-form.js";
import { t } from "../texts.js";

class TaskRecurrence extends HTMLElement {
  due = null;
  #value = null;
  #button = h("button", { type: "button", class: "button field-button", "aria-haspopup": "dialog", onclick: () => this.open() });

  connectedCallback() {
    this.replaceChildren(this.#button);
    this.#show();
  }

  get value() {
    return this.#value;
  }

  set value(recurrence) {
    this.#value = recurrence ?? null;
    this.#show();
  }

  set disabled(isDisabled) {
    this.#button.disabled = isDisabled;
  }

  #show() {
    const how = recurrenceName(this.#value) ?? t("repeat.never");
    this.#button.replaceChildren(icon("repeat"), how);
    this.#button.setAttribute("aria-label", t("repeat.button", { how }));
  }

  open() {
    ask(this.#value, this.due, (recurrence, due) => {
      this.value = recurrence;
      this.due = due;
      this.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}

customElements.define("task-recurrence", TaskRecurrence);

/** A task without a due date gets that of the first instance. */
function ask(value, due, choose) {
  openRecurrenceForm(value, due, (recurrence, first) => choose(recurrence, due ?? (recurrence && first)));
}

/** As the element does it, for a task of a list. */
export function chooseRecurrence(task) {
  ask(task.recurrence, task.due, (recurrence, due) => setRecurrence(task, recurrence, due));
}

/** Another rule is for the instances to come. */
export const setRecurrence = (task, recurrence, due) => actions.update([task], { recurrence, ...(!task.due && due && { due }) }, { scope: "following" });

/** How a task repeats, in the server's words; undefined when it does not. Until the server has said it, that it does. */
export const recurrenceName = (recurrence) => recurrence && (recurrence.text ?? t("repeat.some"));
