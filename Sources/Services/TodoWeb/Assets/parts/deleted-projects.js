// <deleted-projects>: what the bin holds besides tasks.

import { restoreProject } from "../actions.js";
import { api } from "../data/api.js";
import { store } from "../data/store.js";
import { h, icon } from "../lib/dom.js";
import { t } from "../texts.js";
import { told } from "./project-dialogs.js";
import { section } from "./settings-section.js";

class DeletedProjects extends HTMLElement {
  #leaving = null;
  #turn = 0;

  connectedCallback() {
    this.#leaving = new AbortController();
    store.addEventListener("projects", () => this.#load(), { signal: this.#leaving.signal });
    this.#load();
  }

  disconnectedCallback() {
    this.#leaving.abort();
  }

  async #load() {
    const turn = ++this.#turn;
    try {
      const projects = (await api.deletedProjects()).filter((project) => project.role === "owner");
      if (turn === this.#turn) this.replaceChildren(...(projects.length ? [sectionOf(projects)] : []));
    } catch {
      // The connection is shown elsewhere; the next change of a project reads them again.
    }
  }
}

customElements.define("deleted-projects", DeletedProjects);

const sectionOf = (projects) => section(t("bin.projects"), h("p", { class: "hint" }, t("bin.projectHint")),
  h("ul", { class: "members" }, projects.map(({ id, name }) => h("li", {}, icon("folder"), h("span", { class: "grow" }, name),
    h("button", { type: "button", class: "button", "aria-label": t("bin.restoreProject", { name }), onclick: told(() => restoreProject(id)) }, t("task.restore"))))));
