// <task-tags>: shows and edits tags. `value` is a list of names, `known` those to suggest; "change" says it is another.

import { h, icon, uniqueId } from "../lib/dom.js";
import { announce } from "./undo-toast.js";
import { t } from "../texts.js";

const tagForm = /^[^\s,()"*\p{Cc}]{1,50}$/u;

class TaskTags extends HTMLElement {
  #value = [];
  #known = [];
  #list = h("ul", { class: "tag-list" });
  #suggestions = h("datalist", { id: uniqueId("tags") });
  #error = h("p", { class: "form-error", role: "alert" });
  #input = h("input", {
    type: "text", class: "tag-input", placeholder: t("tags.add"), "aria-label": t("tags.add"), autocomplete: "off", autocapitalize: "none",
    onkeydown: (event) => this.#key(event),
    onchange: (event) => event.stopPropagation(),
    oninput: (event) => this.#known.includes(this.#input.value) && event.inputType === undefined && this.#add(),
    onblur: () => this.#input.value && this.#add(),
  });
  #isDisabled = false;

  connectedCallback() {
    this.#input.setAttribute("list", this.#suggestions.id);
    this.replaceChildren(this.#list, this.#input, this.#suggestions, this.#error);
    this.#show();
  }

  get value() {
    return this.#value;
  }

  set value(tags) {
    this.#value = [...tags];
    this.#show();
  }

  set known(tags) {
    this.#known = tags;
    this.#show();
  }

  set disabled(isDisabled) {
    this.#isDisabled = isDisabled;
    this.#show();
  }

  focus() {
    this.#input.focus();
  }

  #show() {
    this.#list.replaceChildren(...this.#value.map((tag) => h("li", { class: "tag" }, h("span", {}, tag),
      !this.#isDisabled && h("button", { type: "button", class: "tag-remove", "aria-label": t("tags.remove", { tag }), onclick: () => this.#remove(tag) }, icon("close")))));
    this.#suggestions.replaceChildren(...this.#known.filter((tag) => !this.#value.includes(tag)).map((tag) => h("option", { value: tag })));
    this.#input.hidden = this.#isDisabled;
    this.#list.hidden = this.#value.length === 0;
  }

  #key(event) {
    if (event.key === "Enter" || event.key === ",") {
      if (!this.#input.value && event.key === "Enter") return;
      event.preventDefault();
      this.#add();
    } else if (event.key === "Backspace" && !this.#input.value && this.#value.length) this.#remove(this.#value.at(-1));
  }

  #add() {
    const tag = this.#input.value.trim().replace(/^#/, "").toLowerCase();
    this.#error.replaceChildren();
    if (!tag) return;
    if (!tagForm.test(tag)) return this.#error.replaceChildren(t("tags.wrong"));
    this.#input.value = "";
    if (this.#value.includes(tag)) return;
    this.#set([...this.#value, tag].sort());
    announce(t("tags.added", { tag }));
  }

  #remove(tag) {
    this.#set(this.#value.filter((each) => each !== tag));
    announce(t("tags.removed", { tag }));
    this.#input.focus();
  }

  #set(tags) {
    this.value = tags;
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

customElements.define("task-tags", TaskTags);
