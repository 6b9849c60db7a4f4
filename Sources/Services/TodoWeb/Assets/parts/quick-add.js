// <quick-add>: one line that becomes a task. `adds` is what the view gives every task that is added in it.

import * as actions from "../actions.js";
import { store } from "../data/store.js";
import { dueName, today } from "../lib/dates.js";
import { h, icon, isPhone, uniqueId } from "../lib/dom.js";
import { parseQuickAdd } from "../lib/quick-add.js";
import { t } from "../texts.js";

const titleLimit = 500;

class QuickAdd extends HTMLElement {
  adds = {};
  #hint = h("p", { id: uniqueId("hint"), class: "hint add-hint" }, t("add.hint"));
  #understood = h("p", { class: "understood", "aria-live": "polite" });
  #input = h("input", {
    type: "text", maxLength: 700, autocomplete: "off", enterKeyHint: "done", "aria-label": t("add.label"), "aria-describedby": this.#hint.id, oninput: () => this.#show(),
    onkeydown: (event) => event.key === "Escape" && (event.preventDefault(), this.#leave()),
  });

  connectedCallback() {
    this.#input.placeholder = isPhone() ? t("add.short") : t("add.placeholder");
    this.replaceChildren(h("form", { class: "add-form", onsubmit: (event) => this.#submit(event) },
      icon("plus"), this.#input, h("button", { type: "submit", class: "button primary add-button" }, t("add.button"))), this.#understood, this.#hint);
  }

  focus() {
    this.#input.focus();
  }

  #leave() {
    this.#input.value = "";
    this.#show();
    this.dispatchEvent(new Event("leave"));
  }

  get #parsed() {
    const projects = store.projectList.filter((project) => project.role !== "viewer" && !project.isArchived);
    return parseQuickAdd(this.#input.value, today(store.me), projects, store.me?.dayStart);
  }

  #show() {
    const { due, repeats, priority, tags, project } = this.#parsed;
    const parts = [
      due && dueName(due, today(store.me), store.me?.zone), repeats, priority && t(`priority.${priority}`), ...tags.map((tag) => `#${tag}`),
      project && `+${store.projects.get(project).name}`,
    ].filter(Boolean);
    const text = parts.length ? t("add.understood", { parts: parts.join(" · ") }) : "";
    if (this.#understood.textContent !== text) this.#understood.replaceChildren(text);
  }

  #submit(event) {
    event.preventDefault();
    const { repeats, ...draft } = this.#parsed;
    if (!draft.title) return;
    const tags = [...new Set([...(this.adds.tags ?? []), ...draft.tags])].sort();
    // Of a title that is too long nothing is lost, and no character is cut in half.
    const long = draft.title.length > titleLimit && { title: draft.title.slice(0, titleLimit).toWellFormed(), description: draft.title };
    const { id } = actions.create({ ...this.adds, ...draft, tags, ...long }, { silently: true });
    this.#input.value = "";
    this.#show();
    this.dispatchEvent(new CustomEvent("added", { detail: id }));
  }
}

customElements.define("quick-add", QuickAdd);
