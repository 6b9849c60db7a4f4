// <task-priority>: shows and sets a priority. `value` is none, low, medium, high or urgent; "change" says it is another.

import { h, icon } from "../lib/dom.js";
import { t } from "../texts.js";

export const priorities = ["urgent", "high", "medium", "low", "none"];

class TaskPriority extends HTMLElement {
  #value = "none";
  #flag = icon("flag");
  #select = h("select", {
    onchange: (event) => {
      event.stopPropagation();
      this.value = this.#select.value;
      this.dispatchEvent(new Event("change", { bubbles: true }));
    },
  }, priorities.map((each) => h("option", { value: each }, t(`priority.${each}`))));

  connectedCallback() {
    this.#select.setAttribute("aria-label", this.getAttribute("label") ?? t("task.priority"));
    this.replaceChildren(this.#flag, this.#select);
    this.value = this.#value;
  }

  get value() {
    return this.#value;
  }

  set value(value) {
    this.#value = value;
    this.#select.value = value;
    this.#flag.setAttribute("class", `icon priority-${value}`);
  }

  set disabled(isDisabled) {
    this.#select.disabled = isDisabled;
  }
}

customElements.define("task-priority", TaskPriority);
