// <reminder-notices>: reminders that have fired, until the person has dealt with them. They come live; those of the time
// when the page was not there are read when it is back.

import * as actions from "../actions.js";
import { api } from "../data/api.js";
import { store } from "../data/store.js";
import { dueName, momentName, today } from "../lib/dates.js";
import { field, h, icon } from "../lib/dom.js";
import { preferences } from "../preferences.js";
import { openForm, openMenu } from "./overlay.js";
import { openEditor } from "./task-editor.js";
import { localNow } from "./task-reminders.js";
import { t } from "../texts.js";
import { toast } from "./undo-toast.js";

const prefix = "dev.todo-operator.reminder.";
/** So many are shown at once; the others come when one of these goes. */
const shown = 3;
const missedLimit = 50;
/** Those that were put off are among the next to come. */
const pendingLimit = 200;
/** Without a socket nobody tells of a reminder. */
const askEvery = 60_000;
const evening = 18;

class ReminderNotices extends HTMLElement {
  /** By what they remind of: a later reminder of the same takes the place of one that nobody has dealt with. */
  #notices = new Map();
  /** The ids of those that were dealt with: a list that was read before still has them. */
  #answered = new Set();
  #more = h("p", { class: "notice-more", role: "status" });
  #listening = new AbortController();

  connectedCallback() {
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", t("notices.label"));
  }

  watch(live) {
    const options = { signal: this.#listening.signal };
    live.addEventListener("reminder", (event) => this.#told(event.detail), options);
    live.addEventListener("state", (event) => ["live", "polling"].includes(event.detail) && this.#readMissed(), options);
    store.addEventListener("tasks", () => this.#dropDone(), options);
    const timer = setInterval(() => live.state === "polling" && this.#readMissed(), askEvery);
    this.#listening.signal.addEventListener("abort", () => clearInterval(timer));
  }

  close() {
    this.#listening.abort();
    this.remove();
  }

  /** Gives the focus to the newest; false when there is none. */
  focus() {
    const button = this.querySelector("button");
    button?.focus();
    return Boolean(button);
  }

  // What there is to tell

  #told({ type, subject, data }) {
    if (type !== `${prefix}fired`) return this.#dropReminder(subject);
    if (data.task) store.putTasks([data.task]);
    if (!this.#add(data.reminder, data.task)) return;
    notifyOutside(data.reminder, data.task);
  }

  async #readMissed() {
    try {
      const [items, toCome] = await Promise.all([api.plannedReminders({ state: "fired", limit: missedLimit }), api.plannedReminders({ state: "pending", limit: pendingLimit })]);
      const snoozed = new Set(toCome.map((each) => each.snoozedFrom));
      const latest = new Map();
      for (const item of items) if (!latest.has(keyOf(item))) latest.set(keyOf(item), item);
      const missed = [...latest.values()].filter((each) => !each.acknowledgedAt && !snoozed.has(each.id) && !this.#has(each)).reverse();
      const tasks = await Promise.all(missed.map(({ task }) => task && (store.task(task) ?? api.task(task).catch(() => null))));
      const channels = await Promise.all(missed.map(channelsOf));
      if (this.#listening.signal.aborted) return;
      store.putTasks(tasks.filter(Boolean));
      missed.forEach((each, index) => this.#add({ ...each, channels: channels[index] }, tasks[index]));
    } catch {
      // The connection is shown elsewhere; when it is back they are read again.
    }
  }

  #has(reminder) {
    return this.#notices.get(keyOf(reminder))?.reminder.id === reminder.id;
  }

  #add(reminder, task) {
    const isForPage = !reminder.channels?.length || reminder.channels.includes("in-app");
    const now = task && (store.task(task.id) ?? task);
    const isOver = now ? !isOpen(now) : Boolean(reminder.task);
    if (!isForPage || isOver || this.#has(reminder) || this.#answered.has(reminder.id)) return false;
    const key = keyOf(reminder);
    this.#notices.get(key)?.element.remove();
    this.#notices.delete(key);
    this.#notices.set(key, { reminder, task, element: this.#card(key, reminder, task) });
    this.#arrange();
    return true;
  }

  #dropReminder(id) {
    this.#answered.add(id);
    for (const [key, { reminder }] of this.#notices) if (reminder.id === id) this.#drop(key);
  }

  #dropDone() {
    for (const [key, { task }] of this.#notices) {
      const now = task && store.task(task.id);
      if (now && !isOpen(now)) this.#drop(key);
    }
  }

  #drop(key) {
    const { element } = this.#notices.get(key);
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    this.#notices.delete(key);
    this.#arrange();
    if (hadFocus && !this.focus()) document.getElementById("view-title")?.focus();
  }

  /** The newest on top. A dialog makes what is behind it inert: inside of one, the notices are there. */
  #arrange() {
    const newest = [...this.#notices.values()].reverse();
    newest.slice(shown).forEach(({ element }) => element.remove());
    newest.slice(0, shown).forEach(({ element }, index) => this.children[index] !== element && this.insertBefore(element, this.children[index] ?? null));
    const rest = newest.length - shown;
    this.#more.replaceChildren(rest > 0 ? t("notices.more", { n: rest }) : "");
    if (rest > 0) this.append(this.#more);
    else this.#more.remove();
    const host = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
    if (this.parentElement !== host && newest.length) host.append(this);
  }

  // One of them

  #card(key, reminder, task) {
    const title = titleOf(reminder, task);
    const open = (id) => () => openEditor(id);
    const answer = (name, label, run, properties = {}) => h("button", { type: "button", class: "button", "aria-label": t(`notices.${name}Of`, { title }), onclick: run, ...properties }, label);
    return h("div", { class: "notice-card", role: "group", "aria-label": title },
      icon("bell"),
      h("div", { class: "grow" },
        h("div", { role: "alert" }, task ? h("button", { type: "button", class: "title", onclick: open(task.id) }, title) : h("strong", {}, title), h("p", { class: reminder.late ? "is-late" : "hint" }, whenOf(reminder, task))),
        reminder.digest && h("ul", {}, reminder.digest.slice(0, 5).map((each) => h("li", {}, h("button", { type: "button", class: "link-button", onclick: () => { store.putTasks([each]); open(each.id)(); } }, each.title)))),
        h("div", { class: "notice-actions" },
          task && answer("done", t("notices.done"), () => this.#done(key), { class: "button primary" }),
          task && answer("snooze", t("notices.snooze"), (event) => this.#chooseSnooze(key, event.currentTarget), { "aria-haspopup": "menu" }),
          answer("dismiss", t("notices.dismiss"), () => this.#answer(key, (id) => api.acknowledge(id))))));
  }

  #done(key) {
    const { task } = this.#notices.get(key);
    actions.complete([store.task(task.id) ?? task]);
    if (this.#notices.has(key)) this.#answer(key, (id) => api.acknowledge(id));
  }

  #chooseSnooze(key, anchor) {
    const snooze = (body) => () => this.#answer(key, (id) => api.snooze(id, body), t("notices.snoozed"));
    const until = (date) => snooze({ until: date.toISOString() });
    const tonight = at(0, evening);
    openMenu(anchor, t("notices.snooze"), [
      { label: t("duration.minute", { n: 10 }), run: snooze({ minutes: 10 }) },
      { label: t("duration.hour", { n: 1 }), run: snooze({ minutes: 60 }) },
      tonight > Date.now() && { label: t("notices.evening"), run: until(tonight) },
      { label: t("notices.morning"), run: until(at(1, ...(store.me.remindAt ?? "09:00").split(":").map(Number))) },
      { label: t("notices.choose"), run: () => this.#chooseMoment((date) => until(date)()) },
    ]);
  }

  #chooseMoment(take) {
    const when = h("input", { type: "datetime-local", name: "until", required: true, min: localNow(60_000), value: localNow(3_600_000) });
    openForm({ title: t("notices.snooze"), action: t("notices.snooze"), fields: [field(t("notices.until"), when)], submit: async () => take(new Date(when.value)) });
  }

  /** Tells the server; the notice stays where that fails. */
  async #answer(key, send, says) {
    const { reminder } = this.#notices.get(key);
    try {
      await send(reminder.id);
      this.#dropReminder(reminder.id);
      if (says) toast(says);
    } catch (error) {
      toast(t("undo.refused", { detail: error.message }));
    }
  }
}

customElements.define("reminder-notices", ReminderNotices);

/** An event says by which ways a reminder goes, the list of those that fired does not. */
async function channelsOf({ task, reminder }) {
  if (!task || !reminder) return [];
  return (await api.reminders(task).catch(() => [])).find(({ id }) => id === reminder)?.channels ?? [];
}

const keyOf = ({ task, reminder, policy, id }) => [task ?? id, reminder ?? policy].join(" ");
const isOpen = (task) => task.status === "open" && !task.deletedAt;

/** A digest that was missed comes without its tasks. */
const titleOf = (reminder, task) => task?.title ?? (reminder.digest ? t("notices.digest", { n: reminder.digest.length }) : t("notices.summary"));

function at(days, hours, minutes = 0) {
  const date = new Date();
  date.setDate(date.getDate() + days);
  date.setHours(hours, minutes, 0, 0);
  return date;
}

function whenOf(reminder, task) {
  const due = task?.due && t("due.button", { when: dueName(task.due, today(store.me), store.me?.zone) });
  return [reminder.late && t("notices.late", { when: momentName(reminder.dueAt) }), due].filter(Boolean).join(" · ");
}

/** By the browser, where the person has allowed it and does not look at the page. */
function notifyOutside(reminder, task) {
  if (!preferences.notifications || !globalThis.Notification || Notification.permission !== "granted" || !document.hidden) return;
  try {
    const notification = new Notification(titleOf(reminder, task), { body: whenOf(reminder, task), tag: reminder.id });
    notification.addEventListener("click", () => {
      window.focus();
      notification.close();
      if (task) openEditor(task.id);
    });
  } catch {
    // A phone's browser lets only service workers do this; the notice is on the page.
  }
}
