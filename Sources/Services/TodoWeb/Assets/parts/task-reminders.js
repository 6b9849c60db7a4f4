// <task-reminders>: a person's own reminders of a task, of which each is written at once. `task` is an id.

import { api } from "../data/api.js";
import { momentName } from "../lib/dates.js";
import { field, h, icon, iconButton } from "../lib/dom.js";
import { durationName, units } from "../lib/durations.js";
import { rereading } from "../lib/reread.js";
import { onSubmit, openPopover } from "./overlay.js";
import { t } from "../texts.js";
import { announce } from "./undo-toast.js";

export const channelKinds = ["in-app", "webhook", "email"];
/** Minutes. */
const quickOffsets = [0, 10, 60, 1440];
const repetitions = [5, 15, 60, 240, 1440];

class TaskReminders extends HTMLElement {
  #task = null;
  #list = h("ul", { class: "reminders" });
  #error = h("p", { class: "form-error", role: "alert" });
  #add = h("button", { type: "button", class: "button quiet", "aria-haspopup": "dialog", onclick: () => openReminderForm(this.#add, (draft) => this.#create(draft)) }, icon("plus"), t("reminders.add"));

  connectedCallback() {
    this.replaceChildren(this.#list, this.#add, this.#error);
  }

  /** The server knows no reminders of a task that it does not know yet. */
  set task(id) {
    if (id === this.#task) return;
    this.#task = id;
    this.#add.disabled = id.startsWith("local-");
    if (!this.#add.disabled) this.#update();
  }

  #update = rereading({
    read: () => api.reminders(this.#task), draw: (reminders) => this.#show(reminders),
    message: this.#error, words: (error) => t("reminders.failed", { detail: error.message }),
  });

  #show(reminders) {
    this.#list.replaceChildren(...reminders.map((reminder) => {
      const when = reminderName(reminder);
      const more = [reminder.repeat && t("reminders.again", { every: durationName(reminder.repeat) }), ...reminder.channels.map((each) => t(`channel.${each}`))].filter(Boolean).join(" · ");
      return h("li", {}, icon("bell"), h("span", { class: "grow" }, when, more && h("small", {}, more)),
        iconButton("close", t("reminders.remove", { when }), { onclick: () => this.#remove(reminder, when) }));
    }));
  }

  async #create(draft) {
    // What was wrong is told in the form.
    await api.createReminder(this.#task, draft);
    announce(t("reminders.added", { when: reminderName(draft) }));
    await this.#update();
  }

  async #remove(reminder, when) {
    await this.#update(async () => {
      await api.deleteReminder(reminder.id);
      announce(t("reminders.removed", { when }));
    });
    // The button that had the focus is gone, unless the person has gone on before.
    if (document.activeElement === document.body) this.#add.focus();
  }
}

customElements.define("task-reminders", TaskReminders);

/** "1 hour before it is due", or the moment. */
function reminderName({ at, offset, before }) {
  if (at) return momentName(at);
  const moment = before ?? "due";
  return offset === 0 ? t(`reminders.at.${moment}`) : t(`reminders.before.${moment}`, { span: durationName(offset) });
}

function openReminderForm(anchor, create) {
  const option = (value, text) => h("option", { value }, text);
  const kind = h("select", { name: "before" }, ["due", "start", "at"].map((each) => option(each, t(`reminders.kind.${each}`))));
  const count = h("input", { type: "number", name: "offset", min: 0, max: 525_600, required: true, value: 1, "aria-label": t("reminders.count") });
  const unit = h("select", { "aria-label": t("reminders.unit") }, Object.keys(units).map((each) => h("option", { value: each, selected: each === "hour" }, t(`reminders.units.${each}`))));
  const at = h("input", { type: "datetime-local", name: "at", required: true, min: localNow() });
  const repeat = h("select", { name: "repeat" }, option("", t("reminders.once")), repetitions.map((each) => option(each, t("reminders.everyUntilDone", { span: durationName(each) }))));
  const channels = channelKinds.map((each) => [each, h("input", { type: "checkbox" })]);
  const message = h("p", { class: "form-error", role: "alert" });
  const span = h("div", { class: "columns" }, count, unit);
  const moment = field(t("reminders.moment"), at);
  const show = () => {
    const isAt = kind.value === "at";
    span.hidden = count.disabled = isAt;
    moment.hidden = at.disabled = !isAt;
  };
  kind.addEventListener("change", show);
  show();
  const draft = () => ({
    ...(kind.value === "at" ? { at: new Date(at.value).toISOString() } : { offset: Number(count.value) * units[unit.value], before: kind.value }),
    ...(repeat.value && { repeat: Number(repeat.value) }), channels: channels.filter(([, box]) => box.checked).map(([name]) => name),
  });
  let isSending = false;
  const add = async (reminder) => {
    if (isSending) return;
    isSending = true;
    try {
      await create(reminder);
      popover.hidePopover();
    } finally {
      isSending = false;
    }
  };
  const quick = quickOffsets.map((minutes) => h("button", { type: "button", class: "button", onclick: () => add({ offset: minutes, before: "due", channels: [] }).catch((error) => message.replaceChildren(error.message)) },
    minutes ? t("reminders.short", { span: durationName(minutes) }) : t("reminders.at.due")));
  const form = h("form", { class: "stack due-picker" }, h("div", { class: "quick-dates" }, quick), field(t("reminders.kind"), kind), span, moment,
    field(t("reminders.repeat"), repeat),
    h("fieldset", { class: "channel-choice" }, h("legend", { class: "label" }, t("reminders.channels")), channels.map(([name, box]) => h("label", { class: "check" }, box, t(`channel.${name}`))), h("p", { class: "hint" }, t("reminders.channelsHint"))),
    message, h("div", { class: "actions" }, h("button", { type: "submit", class: "button primary" }, t("reminders.add"))));
  onSubmit(form, message, () => add(draft()));
  const popover = openPopover(anchor, { label: t("reminders.add"), body: form });
  form.querySelector("button").focus();
}

/** As a field for a day and time wants it, in the browser's own zone. */
export function localNow(later = 0) {
  const now = new Date(Date.now() + later);
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
