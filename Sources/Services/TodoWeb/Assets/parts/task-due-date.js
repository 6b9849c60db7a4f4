// <task-due-date>: shows and sets when a task is due. `value` is null or {date, time?, zone?}; "change" says it is
// another. A time without a zone holds wherever the person is.

import { store } from "../data/store.js";
import { addDays, dueName, nextWeekday, ownZone, today, weekday } from "../lib/dates.js";
import { parseDue } from "../lib/quick-add.js";
import { field, h, icon } from "../lib/dom.js";
import { openPopover } from "./overlay.js";
import { t } from "../texts.js";

class TaskDueDate extends HTMLElement {
  #value = null;
  #button = h("button", { type: "button", class: "button field-button", "aria-haspopup": "dialog", onclick: () => this.open() });

  connectedCallback() {
    this.replaceChildren(this.#button);
    this.#show();
  }

  get value() {
    return this.#value;
  }

  set value(due) {
    this.#value = due;
    this.#show();
  }

  set disabled(isDisabled) {
    this.#button.disabled = isDisabled;
  }

  #show() {
    const when = this.#value ? dueName(this.#value, today(store.me), store.me?.zone) : t("date.none");
    this.#button.replaceChildren(icon("calendar"), when);
    this.#button.setAttribute("aria-label", t("due.button", { when }));
  }

  open() {
    openDuePicker(this.#button, this.#value, (due) => {
      this.value = due;
      this.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}

customElements.define("task-due-date", TaskDueDate);

/** Lets the person choose beside `anchor`; `choose` is called with what they chose, not when they leave it. */
export function openDuePicker(anchor, value, choose) {
  const now = today(store.me);
  const take = (due) => {
    popover.hidePopover();
    choose(due);
  };
  const error = h("p", { class: "form-error", role: "alert" });
  const text = h("input", { type: "text", placeholder: t("due.placeholder"), autocomplete: "off" });
  const date = h("input", { type: "date", max: "9999-12-31", value: value?.date ?? "" });
  const time = h("input", { type: "time", value: value?.time ?? "" });
  const zone = zoneSelect(value?.zone);
  const quick = [
    [t("date.today"), now], [t("date.tomorrow"), addDays(now, 1)],
    [t("date.weekend"), weekday(now) === 6 ? now : nextWeekday(now, 6)], [t("date.nextWeek"), nextWeekday(now, 1)],
  ].map(([label, day]) => h("button", { type: "button", class: "button", onclick: () => take({ ...value, date: day }) }, label));
  const form = h("form", { class: "stack due-picker", onsubmit: (event) => {
    event.preventDefault();
    if (text.value.trim()) {
      const due = parseDue(text.value, now, store.me?.dayStart);
      if (!due) {
        error.replaceChildren(t("due.wrong"));
        return text.focus();
      }
      return take(due.time && zone.value ? { ...due, zone: zone.value } : due);
    }
    if (!date.value) return take(null);
    take({ date: date.value, ...(time.value && { time: time.value }), ...(time.value && zone.value && { zone: zone.value }) });
  } },
    field(t("due.input"), text), error, h("div", { class: "quick-dates" }, quick),
    h("div", { class: "columns" }, field(t("due.date"), date), field(t("due.time"), time)), field(t("due.zone"), zone),
    h("div", { class: "actions" },
      h("button", { type: "button", class: "button", onclick: () => take(null) }, t("due.clear")),
      h("span", { class: "spacer" }), h("button", { type: "submit", class: "button primary" }, t("due.apply"))));
  const popover = openPopover(anchor, { label: t("due.title"), body: form });
  text.focus();
  return popover;
}

/** The zones that a person may mean; of none it is the one that they are in. */
export function zoneSelect(chosen) {
  const zones = new Set([store.me?.zone, ownZone(), chosen].filter(Boolean));
  return h("select", {}, h("option", { value: "" }, t("due.floating")),
    [...zones].map((zone) => h("option", { value: zone, selected: zone === chosen }, zone.replaceAll("_", " "))));
}
