// How a task repeats, in a dialog: a choice of what people mostly want, fields for more, and the rule itself as text for
// everything else. What the server makes of it is shown before it is set.

import { Problem, api } from "../data/api.js";
import { store } from "../data/store.js";
import { longDueName, monthDay, today, weekdayName } from "../lib/dates.js";
import { debounce, field, h } from "../lib/dom.js";
import { isSameRule, lastAtTheEnd, ordinals, plainRule, presetOf, presets, readRule, weekdays, workday, writeRule } from "../lib/recurrence.js";
import { openDialog } from "./overlay.js";
import { t } from "../texts.js";

const shown = 10;
const defaultLimit = 10;
const overdueChoices = ["next", "one", "all"];

/**
 * `due` is null for a task without. `choose(recurrence, first)` is called with null or the recurrence, and the due date of
 * the first instance.
 */
export const openRecurrenceForm = (value, due, choose) => new RecurrenceForm(value, due, choose);

class RecurrenceForm {
  #value;
  #due;
  #from;
  #choose;
  #parts = {};
  #given;
  #asking = null;

  constructor(value, due, choose) {
    this.#value = value;
    this.#due = due ?? { date: today(store.me) };
    // A due date is the first of a count whatever the rule says; without one, that is the first day of the rule.
    this.#from = due ? { due } : { start: this.#due.date };
    this.#choose = choose;
    const form = this.#build();
    const known = value && readRule(value.rule);
    this.#given = known || plainRule;
    this.#fill(this.#given);
    this.#parts.rule.value = value?.rule ?? "";
    this.#parts.kind.value = !value ? "never" : known ? (presetOf(known, this.#due.date)?.name ?? "custom") : "rule";
    this.dialog = openDialog({ title: t("repeat.title"), className: "small", body: form, onclose: () => this.#asking?.abort() });
    this.#changed();
    this.#parts.kind.focus();
  }

  // The fields

  #build() {
    const parts = this.#parts;
    const option = (value, text) => h("option", { value }, text);
    parts.kind = h("select", { onchange: () => this.#kindChanged() }, option("never", t("repeat.never")),
      presets(this.#due.date).map(({ name, values }) => option(name, t(`repeat.${name}`, spoken(values)))),
      option("custom", t("repeat.custom")), option("rule", t("repeat.rule")));
    parts.interval = h("input", { type: "number", min: 1, max: 999, required: true, "aria-label": t("repeat.interval") });
    parts.frequency = h("select", { "aria-label": t("repeat.frequency") }, ["daily", "weekly", "monthly", "yearly"].map((each) => option(each)));
    parts.weekdays = toggles(t("repeat.weekdays"), weekdays.map((day) => [day, weekdayName(day, "short"), weekdayName(day)]));
    parts.monthly = h("select", {}, ["start", "days", "weekday"].map((each) => option(each, t(`repeat.monthly.${each}`))));
    parts.days = toggles(t("repeat.days"), [...Array(31).keys()].map((index) => [index + 1, index + 1, t("repeat.day", { n: index + 1 })]).concat([[-1, t("repeat.lastDay"), t("repeat.lastDay")]]), "month-days");
    parts.ordinal = h("select", { "aria-label": t("repeat.which") }, ordinals.map((each) => option(each, t(`ordinal.${each}`))));
    parts.weekday = h("select", { "aria-label": t("repeat.weekday") }, weekdays.map((day) => option(day, weekdayName(day))), option(workday, t("repeat.workday")));
    parts.nth = h("div", { class: "columns" }, parts.ordinal, parts.weekday);
    parts.monthlyFields = h("div", { class: "stack" }, field(t("repeat.on"), parts.monthly), parts.days.element, parts.nth);
    parts.every = h("div", { class: "every" }, h("span", { "aria-hidden": "true" }, t("repeat.every")), parts.interval, parts.frequency);
    parts.custom = h("fieldset", { class: "stack" }, h("legend", { class: "visually-hidden" }, t("repeat.custom")), parts.every, parts.weekdays.element, parts.monthlyFields);
    parts.rule = h("input", { type: "text", autocomplete: "off", spellcheck: false, maxLength: 4000 });
    parts.ruleField = field(t("repeat.ruleLabel"), parts.rule, t("repeat.ruleHint"));
    parts.more = h("div", { class: "stack" }, this.#endFields(), this.#policyFields());
    parts.text = h("p", { class: "recurrence-text", role: "status" });
    parts.dates = h("ol", { class: "occurrences", "aria-label": t("repeat.next") });
    parts.hint = h("p", { class: "hint" });
    parts.error = h("p", { class: "form-error", role: "alert" });
    parts.preview = h("div", { class: "recurrence-preview" }, parts.text, parts.hint, parts.dates);
    const form = h("form", { class: "stack recurrence-form", oninput: () => this.#changed(), onchange: () => this.#changed(), onsubmit: (event) => this.#submit(event) },
      field(t("repeat.repeats"), parts.kind), parts.custom, parts.ruleField, parts.more, parts.error, parts.preview,
      h("div", { class: "actions" }, h("button", { type: "button", class: "button", onclick: () => this.dialog.close() }, t("dialog.cancel")),
        h("button", { type: "submit", class: "button primary" }, t("due.apply"))));
    return form;
  }

  #endFields() {
    const parts = this.#parts;
    parts.end = h("select", {}, ["never", "count", "until"].map((each) => h("option", { value: each }, t(`repeat.end.${each}`))));
    parts.count = h("input", { type: "number", min: 1, max: 999_999_999, required: true, value: 10, "aria-label": t("repeat.count") });
    parts.until = h("input", { type: "date", required: true, min: this.#due.date, value: this.#due.date, "aria-label": t("repeat.until") });
    parts.ends = h("div", { class: "columns" }, field(t("repeat.ends"), parts.end), parts.count, parts.until);
    return parts.ends;
  }

  #policyFields() {
    const parts = this.#parts;
    const select = (name, values, chosen) => (parts[name] = h("select", {}, values.map((each) => h("option", { value: each, selected: each === chosen }, t(`repeat.${name}.${each}`)))));
    parts.monthEndField = field(t("repeat.monthEnd"), select("monthEnd", ["skip", "clamp"]));
    parts.limit = h("input", { type: "number", min: 1, max: 100, required: true, value: this.#value?.overdueLimit ?? defaultLimit });
    parts.limitField = field(t("repeat.limit"), parts.limit);
    const { basis, overdue } = this.#value ?? {};
    const isUsual = (basis ?? "due") === "due" && (overdue ?? overdueChoices[0]) === overdueChoices[0];
    return [
      parts.monthEndField,
      h("details", { open: !isUsual }, h("summary", {}, t("repeat.more")), h("div", { class: "stack" },
        field(t("repeat.basis"), select("basis", ["due", "completion"], basis)),
        field(t("repeat.overdue"), select("overdue", overdueChoices, overdue)), parts.limitField)),
    ];
  }

  #fill({ frequency, interval, weekdays: days, monthly, end, monthEnd }) {
    const parts = this.#parts;
    parts.frequency.value = frequency;
    parts.interval.value = interval;
    parts.weekdays.value = days;
    parts.monthly.value = monthly.kind;
    parts.days.value = monthly.days ?? [Number(this.#due.date.slice(8))];
    parts.ordinal.value = monthly.ordinal ?? 1;
    parts.weekday.value = monthly.day ?? weekdays[0];
    parts.end.value = end.kind;
    if (end.count) parts.count.value = end.count;
    if (end.date) {
      parts.until.value = end.date;
      parts.until.removeAttribute("min");
    }
    parts.monthEnd.value = monthEnd;
  }

  /** What the fields say; of a preset, those that it leaves open. What has no field, or one that is not shown, stays. */
  #read() {
    const parts = this.#parts;
    const kind = parts.monthly.value;
    const day = kind === "days" ? { days: parts.days.value.map(Number).sort(lastAtTheEnd) } : kind === "weekday" ? { ordinal: Number(parts.ordinal.value), day: parts.weekday.value } : {};
    const custom = { frequency: parts.frequency.value, interval: Number(parts.interval.value), weekdays: parts.weekdays.value, monthly: { kind, ...day } };
    const preset = presets(this.#due.date).find(({ name }) => name === parts.kind.value)?.rule;
    const end = { never: {}, count: { count: Number(parts.count.value) }, until: { date: parts.until.value } }[parts.end.value];
    const days = preset ?? custom;
    const monthEnd = endsWithMonth(days, this.#due.date) ? parts.monthEnd.value : this.#given.monthEnd;
    return { ...days, end: { kind: parts.end.value, ...end }, monthEnd, weekStart: this.#given.weekStart };
  }

  /** The rule as it was when nothing of it was changed, letter by letter. */
  get rule() {
    if (this.#parts.kind.value === "rule") return this.#parts.rule.value.trim().replace(/^RRULE:/i, "");
    const rule = writeRule(this.#read());
    return this.#value && isSameRule(rule, this.#value.rule) ? this.#value.rule : rule;
  }

  get #recurrence() {
    const { kind, basis, overdue, limit } = this.#parts;
    if (kind.value === "never") return null;
    return { rule: this.rule, basis: basis.value, overdue: overdue.value, ...(overdue.value === "all" && { overdueLimit: Number(limit.value) }) };
  }

  // What changes when a field does

  #kindChanged() {
    const { kind, rule } = this.#parts;
    const preset = presets(this.#due.date).find(({ name }) => name === kind.value)?.rule;
    // Who goes on to the fields, or to the rule, begins with what was chosen before.
    if (preset) this.#fill({ ...this.#read(), ...preset, end: this.#read().end, monthEnd: this.#parts.monthEnd.value });
    if (kind.value === "rule" && !rule.value) rule.value = writeRule(this.#read());
  }

  #changed() {
    const parts = this.#parts;
    const kind = parts.kind.value;
    const [isCustom, isRule] = [kind === "custom", kind === "rule"];
    const fields = this.#read();
    for (const unit of parts.frequency.options) tell(unit, t(`repeat.unit.${unit.value}`, { n: fields.interval }));
    show(parts.custom, isCustom);
    show(parts.weekdays.element, fields.frequency === "weekly");
    show(parts.monthlyFields, fields.frequency === "monthly");
    show(parts.days.element, fields.monthly.kind === "days");
    show(parts.nth, fields.monthly.kind === "weekday");
    show(parts.ruleField, isRule);
    show(parts.more, kind !== "never");
    show(parts.ends, !isRule);
    show(parts.count, fields.end.kind === "count");
    show(parts.until, fields.end.kind === "until");
    show(parts.monthEndField, !isRule && endsWithMonth(fields, this.#due.date));
    show(parts.limitField, parts.overdue.value === "all");
    parts.rule.required = isRule;
    parts.days.required = isCustom && fields.frequency === "monthly" && fields.monthly.kind === "days";
    show(parts.preview, kind !== "never");
    this.#preview();
  }

  #preview = debounce(150, () => this.dialog.open && this.#ask().catch(() => {}));

  /** Shows what the server makes of the rule, and gives its instances; null where it cannot be asked. */
  async #ask() {
    const parts = this.#parts;
    this.#asking?.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const recurrence = this.#recurrence;
    tell(parts.error, "");
    parts.rule.removeAttribute("aria-invalid");
    if (!recurrence?.rule || !parts.kind.form.checkValidity()) return null;
    try {
      const answer = await api.previewRecurrence({ recurrence, ...this.#from, count: shown }, signal);
      tell(parts.text, answer.text);
      tell(parts.hint, recurrence.basis === "completion" ? t("repeat.completionHint") : "");
      const end = answer.ended && h("li", { class: "hint" }, t(answer.occurrences.length ? "repeat.ended" : "repeat.none"));
      parts.dates.replaceChildren(...answer.occurrences.map(({ due }) => h("li", {}, longDueName(due))), ...(end ? [end] : []));
      return answer.occurrences;
    } catch (error) {
      if (signal.aborted || !(error instanceof Problem)) return null;
      for (const part of [parts.text, parts.hint, parts.dates]) part.replaceChildren();
      tell(parts.error, error.fields.map(({ detail }) => detail).join(" ") || error.message);
      if (parts.kind.value === "rule") parts.rule.setAttribute("aria-invalid", "true");
      throw error;
    }
  }

  async #submit(event) {
    event.preventDefault();
    const recurrence = this.#recurrence;
    let first;
    try {
      first = recurrence && (await this.#ask())?.[0]?.due;
    } catch {
      return this.#parts.kind.value === "rule" && this.#parts.rule.focus();
    }
    // The person gave up meanwhile, or has sent it twice.
    if (!this.dialog.open) return;
    this.dialog.close();
    const isSame = recurrence && this.#value && Object.entries(recurrence).every(([name, each]) => this.#value[name] === each);
    if (!isSame && (recurrence || this.#value)) this.#choose(recurrence, first ?? this.#due);
  }
}

/** Whether the day may be missing in a month. */
function endsWithMonth({ frequency, monthly }, date) {
  const day = Number(date.slice(8));
  if (frequency === "yearly") return date.slice(5) === "02-29";
  return frequency === "monthly" && (monthly.kind === "start" ? day > 28 : monthly.kind === "days" && monthly.days.some((each) => each > 28));
}

/** Words for what a preset depends on. */
const spoken = ({ weekday, ordinal, date, ...rest } = {}) => ({
  ...rest, ...(weekday && { weekday: weekdayName(weekday) }), ...(ordinal && { ordinal: t(`ordinal.${ordinal}`) }), ...(date && { date: monthDay(date) }),
});

const tell = (element, text) => element.textContent !== text && element.replaceChildren(text);

/** What is not shown must not keep the form from being sent. */
function show(element, isShown) {
  element.hidden = !isShown;
  for (const control of element.matches("input, fieldset") ? [element] : element.querySelectorAll("input")) control.disabled = !isShown;
}

/** Buttons of which any number is pressed; `choices` are [value, what is seen, what is said]. */
function toggles(label, choices, className = "") {
  const boxes = choices.map(([value, text, name]) => [value, h("input", { type: "checkbox", "aria-label": name }), text]);
  const element = h("div", { role: "group", "aria-label": label, class: `toggles ${className}`.trim() }, boxes.map(([, box, text]) => h("label", { class: "toggle" }, box, text)));
  return {
    element,
    get value() {
      return boxes.filter(([, box]) => box.checked).map(([value]) => value);
    },
    set value(values) {
      for (const [value, box] of boxes) box.checked = values.includes(value);
    },
    set required(isRequired) {
      boxes[0][1].setCustomValidity(isRequired && this.value.length === 0 ? t("repeat.noDay") : "");
    },
  };
}
