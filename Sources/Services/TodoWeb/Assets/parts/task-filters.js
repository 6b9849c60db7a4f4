// <task-filters>: the bar above a list. `value` is {status?, priority?, due?, tag?}; "change" says it is another.

import { h, icon } from "../lib/dom.js";
import { priorities } from "./task-priority.js";
import { t } from "../texts.js";

class TaskFilters extends HTMLElement {
  #value = {};
  #tags = [];
  #everyStatus = false;
  #hasQuery = false;

  /** Whether tasks of every status are shown while the person chose none. */
  set everyStatus(isSo) {
    this.#everyStatus = isSo;
    this.#show();
  }

  /** Whether there is something to be kept as a filter besides what is chosen here. */
  set hasQuery(isSo) {
    this.#hasQuery = isSo;
    this.#update();
  }

  set value(filters) {
    this.#value = { ...filters };
    this.#show();
  }

  get value() {
    return this.#value;
  }

  set tags(tags) {
    if (tags.join() === this.#tags.join()) return;
    this.#tags = tags;
    this.#show();
  }

  connectedCallback() {
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", t("filters.label"));
    this.#show();
  }

  #show() {
    if (!this.isConnected || this.contains(document.activeElement)) return this.#update();
    const any = ["", t("filters.any")];
    const tags = [...new Set([...this.#tags, this.#value.tag].filter(Boolean))];
    this.replaceChildren(
      this.#select("status", this.#everyStatus ? [["", t("filters.all")], ["open", t("status.open")], ["done", t("status.done")]] : [["", t("status.open")], ["done", t("status.done")], ["any", t("filters.all")]]),
      this.#select("priority", [any, ...priorities.slice(0, -1).map((each) => [each, each === "urgent" ? t("priority.urgent") : t("filters.atLeast", { priority: t(`priority.${each}`) })])]),
      this.#select("due", [any, ["overdue", t("date.overdue")], ["today", t("filters.dueToday")], ["week", t("filters.dueWeek")], ["any", t("filters.dueAny")], ["none", t("date.none")]]),
      this.#select("tag", [any, ...tags.map((tag) => [tag, tag])]),
      h("button", { type: "button", class: "button quiet", "data-part": "clear", onclick: () => this.#change({}) }, icon("close"), t("filters.clear")),
      h("button", { type: "button", class: "button quiet", "data-part": "save", onclick: () => this.dispatchEvent(new Event("save")) }, icon("filter"), t("filters.save")));
    this.#update();
  }

  /** What depends on the value: a control that has the focus stays where it is. */
  #update() {
    for (const select of this.querySelectorAll("select")) {
      select.value = this.#value[select.name] ?? "";
      select.closest("label").classList.toggle("is-set", Boolean(this.#value[select.name]));
    }
    const isSet = Object.keys(this.#value).length > 0;
    for (const part of this.querySelectorAll("[data-part]")) part.hidden = !isSet && !(part.dataset.part === "save" && this.#hasQuery);
  }

  #select(name, options) {
    return h("label", { class: "filter" }, h("span", {}, t(`filters.${name}`)),
      h("select", { name, onchange: (event) => {
        event.stopPropagation();
        const { [name]: _, ...rest } = this.#value;
        this.#change(event.target.value ? { ...rest, [name]: event.target.value } : rest);
      } }, options.map(([value, label]) => h("option", { value }, label))));
  }

  #change(value) {
    this.#value = value;
    this.#update();
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

customElements.define("task-filters", TaskFilters);
