// <bulk-bar>: what can be done to the selected tasks, at the foot of the page while there are any.

import * as actions from "../actions.js";
import { fill, h, icon, iconButton } from "../lib/dom.js";
import { pickDue, pickPriority, pickProject, pickTags } from "./task-menu.js";
import { t } from "../texts.js";

class BulkBar extends HTMLElement {
  /** The <task-list> whose selection it is for. */
  set list(list) {
    list.addEventListener("selection", () => this.#show(list));
    list.addEventListener("rows", () => this.#show(list));
  }

  connectedCallback() {
    this.setAttribute("role", "toolbar");
    this.setAttribute("aria-label", t("bulk.label"));
    this.hidden = true;
  }

  #isBin = null;
  #count = h("span", { class: "bulk-count", role: "status" });

  #show(list) {
    const count = list.selection.size;
    const hadFocus = this.contains(document.activeElement);
    this.hidden = count === 0;
    if (count === 0) {
      if (hadFocus) list.move(0);
      return;
    }
    const isBin = Boolean(list.view.definition.isBin);
    if (this.#isBin !== isBin) {
      this.#isBin = isBin;
      const button = (name, label, run) => h("button", { type: "button", class: "button", onclick: (event) => run(list.targets, event.currentTarget) }, icon(name), h("span", {}, label));
      fill(this, this.#count, isBin ? button("undo", t("bulk.restore"), actions.restore) : [
        button("check", t("bulk.complete"), actions.toggleDone),
        button("calendar", t("bulk.due"), (tasks, anchor) => pickDue(anchor, tasks)),
        button("flag", t("bulk.priority"), (tasks, anchor) => pickPriority(anchor, tasks)),
        button("tag", t("bulk.tag"), (tasks, anchor) => pickTags(anchor, tasks)),
        button("folder", t("bulk.move"), (tasks, anchor) => pickProject(anchor, tasks)),
        button("bin", t("bulk.delete"), actions.remove),
      ], h("button", { type: "button", class: "button quiet", onclick: () => list.selectAll() }, t("bulk.all")),
      iconButton("close", t("bulk.clear"), { onclick: () => list.clearSelection() }));
    }
    const text = t("bulk.count", { n: count });
    if (this.#count.textContent !== text) this.#count.replaceChildren(text);
  }
}

customElements.define("bulk-bar", BulkBar);
