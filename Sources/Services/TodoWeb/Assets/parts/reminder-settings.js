// When and where the person is reminded, as sections of the settings.

import { Problem, api } from "../data/api.js";
import { store } from "../data/store.js";
import { momentName } from "../lib/dates.js";
import { field, h, icon, iconButton } from "../lib/dom.js";
import { rereading } from "../lib/reread.js";
import { preferences, setPreference } from "../preferences.js";
import { confirm, onSubmit } from "./overlay.js";
import { formSection, saveButton, section } from "./settings-section.js";
import { zoneSelect } from "./task-due-date.js";
import { t } from "../texts.js";
import { toast } from "./undo-toast.js";

export function reminderTimes() {
  const { remindAt, quietHours } = store.me;
  const at = h("input", { name: "remindAt", type: "time", required: true, value: remindAt ?? "09:00" });
  const isQuiet = h("input", { type: "checkbox", checked: Boolean(quietHours) });
  const from = h("input", { name: "quietHours.from", type: "time", required: true, value: quietHours?.from ?? "22:00" });
  const to = h("input", { name: "quietHours.to", type: "time", required: true, value: quietHours?.to ?? "07:00" });
  const zone = zoneSelect(quietHours?.zone);
  const policy = h("select", { name: "quietHours.policy" }, ["deliver-after", "drop"].map((each) => h("option", { value: each, selected: each === quietHours?.policy }, t(`quiet.${each}`))));
  const hours = h("fieldset", { class: "stack" }, h("legend", { class: "visually-hidden" }, t("quiet.title")),
    h("div", { class: "columns" }, field(t("quiet.from"), from), field(t("quiet.to"), to)), field(t("due.zone"), zone), field(t("quiet.policy"), policy));
  const show = () => (hours.hidden = hours.disabled = !isQuiet.checked);
  isQuiet.addEventListener("change", show);
  show();
  const fields = [field(t("quiet.remindAt"), at, t("quiet.remindAtHint")), h("label", { class: "check" }, isQuiet, t("quiet.use")), hours];
  return formSection(t("quiet.section"), [fields, notificationSwitch()], t("settings.save"), async () => {
    const quiet = isQuiet.checked ? { from: from.value, to: to.value, policy: policy.value, ...(zone.value && { zone: zone.value }) } : null;
    store.me = await api.updateMe({ remindAt: at.value, quietHours: quiet });
    toast(t("settings.saved"));
  });
}

/** The browser asks the person only after a click. */
function notificationSwitch() {
  if (!globalThis.Notification) return null;
  const box = h("input", { type: "checkbox", checked: preferences.notifications && Notification.permission === "granted" });
  const hint = h("p", { class: "hint", role: "status" });
  box.addEventListener("change", async () => {
    if (box.checked) box.checked = (await Notification.requestPermission()) === "granted";
    else return setPreference("notifications", false);
    setPreference("notifications", box.checked);
    hint.replaceChildren(box.checked ? "" : t("notices.refused"));
  });
  return h("div", {}, h("label", { class: "check" }, box, t("notices.browser")), hint);
}

const plannedStates = ["pending", "fired", "expired"];

/** When the person will be reminded, and was, or was not after all: those of policies, too. */
export function plannedReminders() {
  const list = h("ul", { class: "members" });
  const status = h("p", { class: "hint", role: "status" });
  const state = h("select", { onchange: () => load() }, plannedStates.map((each) => h("option", { value: each }, t(`planned.${each}`))));
  let turn = 0;
  async function load() {
    const now = ++turn;
    try {
      const items = await api.plannedReminders({ state: state.value, limit: 20 });
      if (now !== turn) return;
      list.replaceChildren(...items.map(plannedItem));
      status.replaceChildren(items.length ? "" : t("planned.none"));
    } catch (error) {
      if (now === turn) status.replaceChildren(error.message);
    }
  }
  load();
  return section(t("planned.title"), h("div", {}, h("label", { class: "filter" }, h("span", {}, t("activity.filter")), state)), list, status);
}

function plannedItem({ title, fireAt, firedAt, state, reason, late, policy }) {
  const facts = [
    momentName(firedAt ?? fireAt), policy && t("planned.policy"), state === "held" && t("planned.held"), late && t("planned.late"),
    state === "expired" && t(reason === "quiet" ? "planned.quiet" : "planned.missed"),
  ].filter(Boolean).join(" · ");
  return h("li", {}, icon("bell"), h("span", { class: "grow" }, h("strong", {}, title ?? t("notices.summary")), h("br"), h("small", {}, facts)));
}

export function channels() {
  const list = h("ul", { class: "members channels" });
  const made = h("div", { class: "notice", hidden: true, role: "status" });
  const kind = h("select", { name: "kind" }, ["webhook", "email"].map((each) => h("option", { value: each }, t(`channel.${each}`))));
  const target = h("input", { name: "target", required: true, maxLength: 2000, autocomplete: "off", spellcheck: false });
  const message = h("p", { class: "form-error", role: "alert" });
  const form = h("form", { class: "stack" }, field(t("channels.kind"), kind), field(t("channels.target"), target, t("channels.hint")), message, h("div", {}, saveButton(t("channels.add"))));
  const showKind = () => (target.type = kind.value === "email" ? "email" : "url");
  kind.addEventListener("change", showKind);
  showKind();
  const showSecret = (secret) => {
    made.hidden = !secret;
    made.replaceChildren(h("p", {}, t("channels.secretOnce")), h("code", { class: "token" }, secret ?? ""));
  };
  const update = rereading({
    read: () => api.channels(), message, words: unavailable,
    draw: (items) => list.replaceChildren(...items.map((channel) => channelItem(channel, update, showSecret))),
  });
  onSubmit(form, message, async () => {
    const channel = await api.createChannel({ kind: kind.value, target: target.value.trim() });
    showSecret(channel.secret);
    if (!channel.verifiedAt) toast(t("channels.confirm", { target: channel.target }));
    target.value = "";
    await update();
  });
  update();
  return section(t("channels.title"), h("p", { class: "hint" }, t("channels.about")), list, made, form);
}

function channelItem(channel, update, showSecret) {
  const { id, kind, target, verifiedAt, pausedAt } = channel;
  const button = (picture, name, run) => iconButton(picture, t(`channels.${name}`, { target }), { onclick: () => update(run) });
  return h("li", {}, icon(kind === "email" ? "mail" : "webhook"),
    h("span", { class: "grow" }, h("strong", {}, target), h("br"), h("small", {}, channelState(channel))),
    h("span", { class: "channel-actions" },
      kind === "webhook" && button("repeat", "rotate", async () => {
        if (await confirm(t("channels.rotateSure"), t("channels.rotateAction"))) showSecret((await api.rotateSecret(id)).secret);
      }),
      button("bell", verifiedAt ? "test" : "resend", async () => {
        await api.testChannel(id);
        toast(t(verifiedAt ? "channels.tested" : "channels.confirm", { target }));
      }),
      verifiedAt && button(pausedAt ? "play" : "pause", pausedAt ? "resume" : "pause", () => api.updateChannel(id, { paused: !pausedAt })),
      button("close", "remove", () => api.deleteChannel(id))));
}

function channelState({ kind, verifiedAt, pausedAt, pausedBecause, failures, blockedUntil }) {
  if (!verifiedAt) return t("channels.unverified");
  const state = pausedAt ? (pausedBecause ? t("channels.pausedBecause", { why: pausedBecause }) : t("channels.paused")) : t(kind === "email" ? "channels.verified" : "channels.active");
  const isBlocked = blockedUntil && !pausedAt && Date.parse(blockedUntil) > Date.now();
  return [state, failures > 0 && t("channels.failures", { n: failures }), isBlocked && t("channels.blocked", { when: momentName(blockedUntil) })].filter(Boolean).join(" · ");
}

const unavailable = (error) => (error instanceof Problem && [404, 503].includes(error.status) ? t("channels.unavailable") : error.message);

const deliveryStates = ["pending", "delivered", "dead", "skipped"];

/** What was sent or is to be, and what has become of it. */
export function deliveries() {
  const list = h("ul", { class: "members deliveries" });
  const status = h("p", { class: "hint", role: "status" });
  const state = h("select", { onchange: () => load() }, h("option", { value: "" }, t("filters.all")), deliveryStates.map((each) => h("option", { value: each }, t(`delivery.${each}`))));
  const more = h("button", { type: "button", class: "button", onclick: () => load(cursor) }, t("activity.more"));
  let cursor = null;
  let turn = 0;
  async function load(after) {
    const now = ++turn;
    more.hidden = true;
    if (!after) list.replaceChildren();
    try {
      const page = await api.deliveries({ state: state.value, limit: 20, cursor: after });
      if (now !== turn) return;
      list.append(...page.items.map((each) => deliveryItem(each, replay)));
      cursor = page.nextCursor;
      more.hidden = !cursor;
      status.replaceChildren(list.childElementCount ? "" : t("delivery.none"));
    } catch (error) {
      if (now === turn) status.replaceChildren(unavailable(error));
    }
  }
  async function replay(delivery, item) {
    try {
      const next = deliveryItem(await api.replayDelivery(delivery.id), replay);
      item.replaceWith(next);
      toast(t("delivery.replayed"));
    } catch (error) {
      toast(t("undo.refused", { detail: error.message }));
    }
  }
  load();
  const filter = h("label", { class: "filter" }, h("span", {}, t("filters.status")), state);
  return section(t("delivery.title"), h("div", { class: "delivery-head" }, filter, h("button", { type: "button", class: "button quiet", onclick: () => load() }, t("delivery.refresh"))), list, status, h("div", {}, more));
}

function deliveryItem(delivery, replay) {
  const { purpose, title, kind, target, state, attempts, createdAt, deliveredAt, nextAttemptAt, lastError } = delivery;
  const what = purpose === "reminder" ? (title ?? t("delivery.reminder")) : t(`delivery.${purpose}`);
  const facts = [
    t(`delivery.${state}`), attempts > 0 && t("delivery.attempts", { n: attempts }), deliveredAt ? momentName(deliveredAt) : momentName(createdAt),
    nextAttemptAt && t("delivery.next", { when: momentName(nextAttemptAt) }),
  ].filter(Boolean).join(" · ");
  const item = h("li", { "data-state": state }, h("span", { class: "grow" }, h("strong", {}, what), h("br"),
    h("small", {}, [t(`channel.${kind}`), target].filter(Boolean).join(" · ")), h("br"), h("small", { class: "delivery-state" }, facts), lastError && h("small", { class: "delivery-error" }, lastError)),
    state === "dead" && h("button", { type: "button", class: "button", "aria-label": t("delivery.replayOf", { what, target }), onclick: () => replay(delivery, item) }, icon("repeat"), t("delivery.replay")));
  return item;
}
