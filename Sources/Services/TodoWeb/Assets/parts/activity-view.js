// <activity-view>: what was done, by whom and when, from the audit log.

import { api } from "../data/api.js";
import { store } from "../data/store.js";
import { dayName, instantDay, timeName, today } from "../lib/dates.js";
import { h, icon } from "../lib/dom.js";
import { t, textKeys } from "../texts.js";
import { openEditor } from "./task-editor.js";

const prefix = "dev.todo-operator.";
const kinds = { all: null, completions: "task.completed", deletions: "task.deleted", projects: "project.*" };
const pictures = { completed: "done", deleted: "bin", restored: "undo", created: "plus", reopened: "undo", shared: "people", unshared: "people" };

/** Names of those with whom projects are shared, by id; and whose projects were asked for them already. */
const names = new Map();
const asked = new Set();

async function learnNames(items) {
  const unknown = items.filter((item) => item.actor !== store.me.id && !names.has(item.actor));
  const projects = new Set(unknown.map((item) => item.content?.data?.task?.project ?? item.content?.data?.project?.id).filter((id) => store.projects.has(id) && !asked.has(id)));
  await Promise.all([...projects].map(async (id) => {
    asked.add(id);
    for (const member of await api.members(id)) names.set(member.user, member.name);
  }));
}

class ActivityView extends HTMLElement {
  #cursor = null;
  #day = null;
  #kind = "all";
  #list = h("div", { class: "activity" });
  #status = h("p", { class: "list-status", role: "status" });
  #more = h("button", { type: "button", class: "button", onclick: () => this.#load() });
  #turn = 0;

  connectedCallback() {
    const select = h("select", { onchange: () => { this.#kind = select.value; this.#restart(); } },
      Object.keys(kinds).map((kind) => h("option", { value: kind }, t(`activity.${kind}`))));
    this.replaceChildren(h("label", { class: "filter" }, h("span", {}, t("activity.filter")), select), this.#list, this.#status, this.#more);
    this.#restart();
  }

  #restart() {
    this.#list.replaceChildren();
    this.#cursor = null;
    this.#day = null;
    this.#load();
  }

  async #load() {
    const turn = ++this.#turn;
    this.#more.hidden = true;
    this.#status.replaceChildren(t("app.loading"));
    try {
      const page = await api.audit({ limit: 50, cursor: this.#cursor, type: kinds[this.#kind] && prefix + kinds[this.#kind] });
      await learnNames(page.items);
      if (turn !== this.#turn) return;
      this.#cursor = page.nextCursor;
      this.#offerMore(t("activity.more"), !page.nextCursor);
      for (const item of page.items) this.#add(item);
      this.#status.replaceChildren(this.#list.childElementCount ? "" : t("empty.activity"));
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#status.replaceChildren(t("activity.unavailable", { detail: error.message }));
      this.#offerMore(t("app.again"));
    }
  }

  #offerMore(label, isHidden = false) {
    this.#more.replaceChildren(label);
    this.#more.hidden = isHidden;
  }

  #add(item) {
    const day = instantDay(item.time, store.me);
    if (day !== this.#day) {
      this.#day = day;
      this.#list.append(h("h2", {}, dayName(day, today(store.me))), h("ul", {}));
    }
    const kind = item.type.replace(prefix, "");
    this.#list.lastElementChild.append(h("li", {}, icon(pictures[kind.split(".").at(-1)] ?? "edit"), h("span", { class: "grow" }, sentence(kind, item)),
      h("time", { dateTime: item.time }, timeName(item.time))));
  }
}

customElements.define("activity-view", ActivityView);

/** "You completed Call Ada", where the task is a button that opens it. */
function sentence(kind, item) {
  const who = item.actor === store.me.id ? t("activity.you") : (names.get(item.actor) ?? t("activity.somebody"));
  const body = item.content?.data?.task ?? item.content?.data?.project;
  const name = body?.title ?? body?.name ?? t("activity.erased");
  const key = `activity.${kind}`;
  if (!textKeys.includes(key)) return t("activity.account", { who, what: kind.replaceAll(".", " ") });
  const mark = "\u0001";
  const [before, after] = t(key, { who, what: mark }).split(mark);
  const what = item.content?.data?.task ? h("button", { type: "button", class: "link-button", onclick: () => openEditor(item.subject) }, name) : h("strong", {}, name);
  return [before, what, after];
}
