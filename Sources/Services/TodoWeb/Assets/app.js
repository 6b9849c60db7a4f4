// <todo-app>: the page. Signs in, keeps the address, the view and the connection together.

import { forgetHistory, undoLast } from "./actions.js";
import { addressTask, replaceAddress } from "./data/address.js";
import { Problem, api, endSession } from "./data/api.js";
import { addDraft } from "./data/drafts.js";
import { Live } from "./data/live.js";
import { store } from "./data/store.js";
import { TaskView, forgetLists } from "./data/task-view.js";
import { defineView, filterTerms, parseRoute, writeRoute } from "./data/views.js";
import { today } from "./lib/dates.js";
import { debounce, h, icon, iconButton, isPhone, isTyping, phone, rememberFocus } from "./lib/dom.js";
import { openHelp } from "./parts/help-sheet.js";
import { openFilterForm, openProjectMenu, removeFilter } from "./parts/project-dialogs.js";
import { openEditor } from "./parts/task-editor.js";
import { hideToast, toast } from "./parts/undo-toast.js";
import { applyTheme, collapsed, forgetPerson, preferences, remember } from "./preferences.js";
import { t } from "./texts.js";
import "./parts/activity-view.js";
import "./parts/bulk-bar.js";
import "./parts/connection-state.js";
import "./parts/deleted-projects.js";
import "./parts/quick-add.js";
import "./parts/reminder-notices.js";
import "./parts/settings-view.js";
import "./parts/side-nav.js";
import "./parts/sign-in.js";
import "./parts/task-filters.js";
import "./parts/task-list.js";

applyTheme();

/** Whose session the browser has, for its other windows: empty after a sign-out; gone when that account is erased. */
const accountKey = "todo.account";

const pages = { __proto__: null, activity: "activity-view", settings: "settings-view" };

class TodoApp extends HTMLElement {
  #live = new Live(store);
  #route = null;
  #view = null;
  #parts = {};
  #conflicts = [];

  connectedCallback() {
    addEventListener("hashchange", () => this.#go());
    addEventListener("keydown", (event) => this.#key(event));
    addEventListener("todo:sign-out", () => this.#signOut());
    addEventListener("todo:erased", ({ detail }) => this.#erased(detail));
    this.#live.addEventListener("signed-out", () => this.#showSignIn(t("sign.expired")));
    this.#live.addEventListener("outdated", () => {
      this.#closePage();
      this.#start();
    });
    this.#live.addEventListener("membership", debounce(100, () => this.#reloadProjects()));
    store.outbox.addEventListener("delay", ({ detail }) => detail.error.status === 401 && this.#showSignIn(t("sign.expired")));
    store.outbox.addEventListener("kept", ({ detail }) => toast(t("undo.failed", { detail: detail.error.message })));
    store.addEventListener("refused", ({ detail }) => detail.error.now || toast(t("undo.refused", { detail: detail.error.message })));
    store.outbox.addEventListener("conflict", ({ detail }) => this.#giveBack(detail));
    addEventListener("storage", ({ key, newValue }) => key === accountKey && this.#sessionChanged(newValue));
    for (const kind of ["projects", "filters"]) store.addEventListener(kind, () => this.#definitionsChanged());
    store.addEventListener("tasks", () => this.#parts.filters && (this.#parts.filters.tags = store.tags));
    // A wide window has no drawer, and nothing that would close it.
    phone.addEventListener("change", () => this.#drawer(false));
    setInterval(() => this.#dayPassed(), 30_000);
    document.addEventListener("visibilitychange", () => this.#dayPassed());
    addEventListener("beforeunload", (event) => store.outbox.isKept || event.preventDefault());
    // Fields are saved when they are left, and a page that goes leaves none.
    addEventListener("pagehide", () => document.activeElement?.blur());
    this.#start();
  }

  // Session

  async #start() {
    this.replaceChildren(h("p", { class: "boot", role: "status" }, t("app.loading")));
    try {
      await this.#enter(await api.me());
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return this.#showSignIn();
      this.replaceChildren(h("div", { class: "boot", role: "alert" }, h("p", {}, t("app.failed", { detail: error.message })), h("button", { type: "button", class: "button primary", onclick: () => this.#start() }, t("app.again"))));
    }
  }

  async #enter(me) {
    store.reset(me);
    remember(accountKey, me.id);
    forgetLists();
    forgetHistory();
    this.#view?.close();
    this.#view = null;
    this.#route = null;
    this.#parts.notices?.close();
    this.#parts.notices = document.body.appendChild(h("reminder-notices"));
    this.#parts.notices.watch(this.#live);
    await this.#live.start();
    await Promise.all([store.loadProjects(), store.loadFilters(), store.loadTags()]);
    this.#day = today(me);
    this.#build();
    this.#go();
    this.#showConflicts();
  }

  /** The session is the browser's: this page would show what it may not, or write in the name of another. */
  #sessionChanged(id) {
    if (!store.me || id === store.me.id) return;
    if (id === null) this.#erased(store.me.id);
    else this.#showSignIn(t(id ? "sign.other" : "sign.expired"));
  }

  #erased(id) {
    if (store.me?.id === id) this.#showSignIn();
    // After that: what is being typed is kept as the dialogs close.
    forgetPerson(id);
  }

  #showSignIn(reason = "") {
    if (this.querySelector("sign-in")) return;
    endSession();
    this.#live.stop();
    this.#conflicts = [];
    this.#parts.notices?.close();
    this.#view?.close();
    this.#view = null;
    this.#closePage();
    hideToast();
    // What waits in the outbox stays in the browser and is sent after the same person has signed in.
    store.reset(null);
    const form = h("sign-in", { "onsigned-in": () => this.#start() });
    form.reason = reason;
    this.replaceChildren(form);
  }

  /** What is being typed in them is saved now: that they are closed they hear of later. */
  #closeDialogs() {
    for (const dialog of document.querySelectorAll("dialog[open]")) {
      if (dialog.contains(document.activeElement)) document.activeElement.blur();
      dialog.close();
    }
  }

  /** A sheet takes itself out of the address with the next frame: the page may be there again before that. */
  #closePage() {
    this.#closeDialogs();
    if (store.me) addressTask();
  }

  async #signOut() {
    try {
      await api.signOut();
      remember(accountKey, "");
      this.#showSignIn();
    } catch (error) {
      toast(t("undo.refused", { detail: error.message }));
    }
  }

  async #reloadProjects() {
    try {
      await store.loadProjects();
      forgetLists();
    } catch {
      // The connection is shown elsewhere; the next change or start reads them again.
    }
  }

  #day = null;
  /** A page that is left open overnight: today's tasks are others now, and so are the names of days in every list. */
  #dayPassed() {
    if (!store.me || this.#day === today(store.me)) return;
    this.#day = today(store.me);
    const view = this.#view;
    const giveFocusBack = rememberFocus();
    this.#definitionsChanged();
    if (this.#view === view) view?.renew();
    else giveFocusBack();
  }

  // The page

  #build() {
    const parts = this.#parts;
    parts.nav = h("side-nav", { class: "side", onclick: (event) => event.target.closest("a") && isPhone() && this.#drawer(false) });
    parts.connection = h("connection-state");
    parts.title = h("h1", { id: "view-title", tabIndex: -1 });
    parts.subtitle = h("p", { class: "subtitle" });
    parts.actions = h("div", { class: "view-actions" });
    parts.search = h("input", { type: "search", class: "search-input", "aria-label": t("filters.search"), placeholder: t("empty.searchStart"), autocomplete: "off", spellcheck: false, maxLength: 2000, oninput: debounce(200, () => this.#search()) });
    parts.searchHelp = h("p", { class: "hint search-help" }, t("filters.help"));
    parts.add = h("quick-add", { onadded: () => {}, onleave: () => parts.list.move(0) });
    parts.filters = h("task-filters", { onchange: () => this.#filter(), onsave: () => this.#saveFilter() });
    parts.list = h("task-list", { onopen: (event) => openEditor(event.detail), onrows: () => this.#countRows(), onempty: () => parts.title.focus() });
    parts.count = h("p", { class: "list-count", role: "status" });
    parts.page = h("div", { class: "page" });
    parts.bulk = h("bulk-bar");
    parts.bulk.list = parts.list;
    parts.main = h("main", { id: "main", class: "scroller", tabIndex: -1, "aria-labelledby": "view-title" },
      h("div", { class: "column" },
        h("header", { class: "view-head" }, h("div", { class: "grow" }, parts.title, parts.subtitle), parts.actions),
        parts.search, parts.searchHelp, parts.add, parts.filters, parts.page, parts.count, parts.list), parts.bulk);
    const toggle = iconButton("menu", t("app.menu"), { class: "icon-button menu-button", "aria-expanded": "false", onclick: () => this.#drawer(true) });
    parts.toggle = toggle;
    parts.scrim = h("div", { class: "scrim", onclick: () => this.#drawer(false) });
    this.replaceChildren(
      h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); parts.main.focus(); parts.list.move(0); } }, t("app.skip")),
      h("header", { class: "top" }, toggle, h("span", { class: "brand" }, t("app.name")), h("span", { class: "spacer" }), parts.connection,
        iconButton("search", t("nav.search"), { onclick: () => this.#openSearch() }), iconButton("help", t("nav.help"), { onclick: openHelp })),
      h("div", { class: "frame" }, parts.nav, parts.scrim, parts.main));
    parts.connection.watch(this.#live, store.outbox);
  }

  #drawer(isOpen) {
    const { main, nav, toggle } = this.#parts;
    if (!nav || nav.classList.contains("is-open") === isOpen) return;
    nav.classList.toggle("is-open", isOpen);
    toggle.setAttribute("aria-expanded", String(isOpen));
    main.inert = isOpen;
    if (isOpen) (nav.querySelector("[aria-current]") ?? nav.querySelector("a"))?.focus();
    else if (nav.contains(document.activeElement)) toggle.focus();
  }

  #go() {
    if (!store.me || !this.#parts.nav) return;
    const before = this.#route;
    const { task, ...route } = parseRoute(location.hash);
    this.#route = route;
    const isSameView = before?.name === route.name && before.id === route.id;
    // Whoever goes back does not want to go on with the sheet that they leave.
    if (!isSameView || !task) this.#closeDialogs();
    if (isPhone()) this.#drawer(false);
    if (!before || writeRoute(before) !== writeRoute(route)) this.#show(isSameView);
    if (task) openEditor(task);
  }

  #show(isSameView = false) {
    const { parts, route } = { parts: this.#parts, route: this.#route };
    const pageName = pages[route.name];
    const definition = pageName ? { title: t(`nav.${route.name}`) } : defineView(route);
    const isList = !pageName && Boolean(definition);
    this.#view?.close();
    this.#view = null;
    parts.nav.route = route;
    this.#describe(definition ?? { title: t("list.gone"), subtitle: t("list.goneHint") });
    parts.search.hidden = parts.searchHelp.hidden = route.name !== "search";
    parts.filters.hidden = !isList || (definition.filterable === false && !definition.isSearch);
    parts.add.hidden = !isList || definition.isBin || definition.isReadOnly || ["completed", "search", "filter"].includes(route.name);
    parts.list.hidden = parts.count.hidden = !isList;
    const partName = pageName ?? (definition?.isBin && "deleted-projects");
    parts.page.replaceChildren(...(partName ? [h(partName)] : []));
    parts.list.clearSelection();
    if (isList) {
      parts.add.adds = definition.adds ?? {};
      parts.filters.everyStatus = Boolean(definition.isSearch);
      parts.filters.hasQuery = Boolean(route.q);
      parts.filters.tags = store.tags;
      parts.filters.value = route.filters;
      if (document.activeElement !== parts.search) parts.search.value = route.q;
      this.#view = new TaskView(store, definition, collapsed);
      parts.list.show(this.#view);
    }
    if (isSameView) return;
    parts.main.scrollTop = 0;
    // Whoever comes by a link or a key is told where they are.
    if (route.name === "search") parts.search.focus();
    else if (!parts.add.contains(document.activeElement)) parts.title.focus({ preventScroll: true });
  }

  #describe(definition) {
    const { title, subtitle, actions } = this.#parts;
    title.replaceChildren(definition.title);
    subtitle.replaceChildren(definition.subtitle ?? "");
    subtitle.hidden = !definition.subtitle;
    document.title = `${definition.title} · ${t("app.name")}`;
    const { project, filter } = definition;
    actions.replaceChildren(...(project && !project.isInbox
      ? [iconButton("more", t("project.actions"), { id: "project-actions", "aria-haspopup": "menu", onclick: (event) => openProjectMenu(event.currentTarget, store.projects.get(project.id)) })]
      : filter
        ? [iconButton("edit", t("filters.edit"), { onclick: () => openFilterForm({ query: filter.query, filter }) }), iconButton("bin", t("filters.delete"), { onclick: () => removeFilter(filter) })]
        : []));
  }

  /** A project or filter came, went or has another name: the view is shown anew only if it is another now. */
  #definitionsChanged() {
    if (!store.me || !this.#route || pages[this.#route.name]) return;
    const next = defineView(this.#route);
    const last = this.#view?.definition;
    if (next?.key !== last?.key || next?.canOrder !== last?.canOrder) this.#show(true);
    else if (next) this.#describe(next);
  }

  #countRows() {
    const { count, search } = this.#parts;
    const view = this.#view;
    search.setAttribute("aria-invalid", String(Boolean(view?.error?.status)));
    const text = view && view.count > 0 && !view.isLoading ? t("list.tasks", { n: view.count }) : "";
    if (count.textContent !== text) count.replaceChildren(text);
  }

  // Descriptions that somebody else's came before

  #giveBack({ task, text }) {
    addDraft(task.id, text);
    this.#conflicts.push(task);
    if (this.#route) this.#showConflicts();
  }

  /** What an earlier page left in the outbox may be answered before there is anything to show it on. */
  #showConflicts() {
    for (const task of this.#conflicts.splice(0)) {
      store.putTasks([task]);
      openEditor(task.id);
      toast(t("task.conflict"));
    }
  }

  // Searching and filtering

  #openSearch() {
    if (this.#route.name === "search") return this.#parts.search.focus();
    location.hash = writeRoute({ name: "search" });
  }

  #search() {
    const q = this.#parts.search.value.trim();
    if (this.#route.name === "search" && this.#route.q !== q) this.#replaceRoute({ ...this.#route, q });
  }

  #filter() {
    this.#replaceRoute({ ...this.#route, filters: this.#parts.filters.value });
  }

  /** Without a new entry in the browser's history for each letter. */
  #replaceRoute(route) {
    replaceAddress(route);
    this.#go();
  }

  #saveFilter() {
    // What was typed a moment ago counts, and does not come later, when it would close the form.
    this.#search();
    const definition = defineView(this.#route);
    openFilterForm({ query: definition.query ?? filterTerms(this.#route.filters) });
  }

  // Keys that work everywhere

  #key(event) {
    if (!store.me || event.defaultPrevented || event.isComposing || isCovered()) return;
    if (event.key === "Escape" && this.#parts.nav.classList.contains("is-open")) return this.#drawer(false);
    if (isTyping(event.target)) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !event.shiftKey) {
      event.preventDefault();
      return undoLast();
    }
    const command = isLetter(event) && letters[event.key];
    if (!command) return;
    event.preventDefault();
    command(this);
  }

  static commands = {
    add: (app) => {
      if (app.#parts.add.hidden) location.hash = writeRoute({ name: "inbox" });
      setTimeout(() => app.#parts.add.focus());
    },
    search: (app) => app.#openSearch(),
    list: (app) => app.#parts.list.move(0),
    reminders: (app) => app.#parts.notices.focus(),
  };
}

const isCovered = () => document.querySelector("dialog[open], [popover]:popover-open");
const isLetter = (event) => preferences.shortcuts && !event.ctrlKey && !event.metaKey && !event.altKey;

const to = (name) => () => (location.hash = writeRoute({ name }));
const afterG = { i: to("inbox"), t: to("today"), u: to("upcoming"), a: to("activity") };
/** Takes the key after "g" before the list does, where the same letter means something else. */
const g = () => addEventListener("keydown", (event) => {
  const command = isLetter(event) && afterG[event.key];
  if (!command || isTyping(event.target) || isCovered()) return;
  event.preventDefault();
  command();
}, { capture: true, once: true, signal: AbortSignal.timeout(1500) });
const { add, search, list, reminders } = TodoApp.commands;
const letters = { n: add, q: add, "/": search, "?": openHelp, g, r: reminders, j: list, k: list, ArrowDown: list };

customElements.define("todo-app", TodoApp);
