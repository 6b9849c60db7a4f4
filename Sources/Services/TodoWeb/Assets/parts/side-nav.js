// <side-nav>: views, projects and saved filters. On a phone it is a drawer.

import { store } from "../data/store.js";
import { writeRoute } from "../data/views.js";
import { h, icon, iconButton } from "../lib/dom.js";
import { openNewProject } from "./project-dialogs.js";
import { t } from "../texts.js";

const views = [["inbox", "inbox"], ["today", "today"], ["upcoming", "calendar"], ["search", "search"], ["completed", "done"], ["activity", "activity"], ["bin", "bin"]];

class SideNav extends HTMLElement {
  #route = null;

  connectedCallback() {
    for (const kind of ["projects", "filters"]) store.addEventListener(kind, () => this.#show());
  }

  set route(route) {
    this.#route = route;
    this.#show();
  }

  #show() {
    if (!this.isConnected || !store.me) return;
    const focused = this.contains(document.activeElement) ? document.activeElement.id : null;
    const projects = store.projectList.filter((project) => !project.isInbox);
    const filters = [...store.filters.values()].sort((left, right) => left.name.localeCompare(right.name));
    const archived = projects.filter((project) => project.isArchived);
    this.replaceChildren(h("nav", { "aria-label": t("app.navigation") },
      h("ul", {}, views.map(([name, picture]) => this.#link({ name }, icon(picture), t(`nav.${name}`)))),
      h("div", { class: "nav-head" }, h("h2", {}, t("nav.projects")), iconButton("plus", t("nav.addProject"), { id: "nav-add-project", onclick: () => openNewProject() })),
      h("ul", {}, projects.filter((project) => !project.isArchived).map((project) => this.#project(project))),
      archived.length > 0 && h("details", {}, h("summary", {}, t("nav.archived")), h("ul", {}, archived.map((project) => this.#project(project)))),
      h("div", { class: "nav-head" }, h("h2", {}, t("nav.filters"))),
      filters.length ? h("ul", {}, filters.map((filter) => this.#link({ name: "filter", id: filter.id }, icon("filter"), filter.name))) : h("p", { class: "hint" }, t("nav.noFilters")),
      h("ul", { class: "nav-foot" }, this.#link({ name: "settings" }, icon("settings"), t("nav.settings"), store.me.name))));
    if (focused) document.getElementById(focused)?.focus();
  }

  #project(project) {
    const dot = h("span", { class: "project-dot", "aria-hidden": "true", style: { "--color": project.color ?? "currentColor" } });
    const isShared = project.user !== store.me.id;
    return this.#link({ name: "project", id: project.id }, dot, project.name, isShared && t("nav.shared"));
  }

  #link(route, picture, label, note) {
    const isCurrent = route.name === this.#route?.name && route.id === this.#route?.id;
    return h("li", {}, h("a", { id: `nav-${route.id ?? route.name}`, href: writeRoute(route), class: "nav-link", "aria-current": isCurrent ? "page" : undefined },
      picture, h("span", { class: "nav-label" }, label), note && h("small", {}, note)));
  }
}

customElements.define("side-nav", SideNav);
