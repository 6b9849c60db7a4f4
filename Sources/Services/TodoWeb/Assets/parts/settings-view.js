// <settings-view>: account, reminders, appearance, tokens and data.

import { api } from "../data/api.js";
import { store } from "../data/store.js";
import { momentName, ownZone } from "../lib/dates.js";
import { field, h, icon, iconButton } from "../lib/dom.js";
import { rereading } from "../lib/reread.js";
import { preferences, setPreference } from "../preferences.js";
import { t } from "../texts.js";
import { onSubmit, openForm } from "./overlay.js";
import { channels, deliveries, plannedReminders, reminderTimes } from "./reminder-settings.js";
import { formSection, saveButton, section } from "./settings-section.js";
import { toast } from "./undo-toast.js";

class SettingsView extends HTMLElement {
  connectedCallback() {
    this.replaceChildren(profile(), reminderTimes(), channels(), plannedReminders(), deliveries(), appearance(), password(), tokens(), data());
  }
}

customElements.define("settings-view", SettingsView);

function profile() {
  const zones = new Set([store.me.zone, ownZone(), ...(Intl.supportedValuesOf?.("timeZone") ?? [])]);
  const name = h("input", { name: "name", required: true, maxLength: 100, value: store.me.name, autocomplete: "name" });
  const zone = h("select", { name: "zone" }, [...zones].sort().map((each) => h("option", { value: each, selected: each === store.me.zone }, each.replaceAll("_", " "))));
  const dayStart = h("input", { name: "dayStart", type: "time", required: true, value: store.me.dayStart });
  const fields = [field(t("sign.name"), name), field(t("settings.zone"), zone), field(t("settings.dayStart"), dayStart, t("settings.dayStartHint"))];
  return formSection(t("settings.profile"), fields, t("settings.save"), async () => {
    store.me = await api.updateMe({ name: name.value.trim(), zone: zone.value, dayStart: dayStart.value });
    toast(t("settings.saved"));
  });
}

function appearance() {
  const theme = h("select", { onchange: () => setPreference("theme", theme.value) },
    ["system", "light", "dark"].map((each) => h("option", { value: each, selected: each === preferences.theme }, t(`settings.${each}`))));
  const shortcuts = h("input", { type: "checkbox", checked: preferences.shortcuts, onchange: () => setPreference("shortcuts", shortcuts.checked) });
  return section(t("settings.appearance"), h("div", { class: "stack" }, field(t("settings.theme"), theme), h("label", { class: "check" }, shortcuts, t("settings.shortcuts"))));
}

function password() {
  const current = h("input", { name: "password.current", type: "password", required: true, autocomplete: "current-password" });
  const next = h("input", { name: "password.new", type: "password", required: true, minLength: 8, autocomplete: "new-password" });
  return formSection(t("settings.password"), [field(t("settings.currentPassword"), current), field(t("sign.newPassword"), next)], t("settings.changePassword"), async (form) => {
    await api.updateMe({ password: { current: current.value, new: next.value } });
    form.reset();
    toast(t("settings.passwordChanged"));
  });
}

function tokens() {
  const list = h("ul", { class: "members" });
  const made = h("div", { class: "notice", hidden: true, role: "status" });
  const name = h("input", { name: "name", required: true, maxLength: 100, autocomplete: "off" });
  const scopes = h("select", { name: "scopes" }, h("option", { value: "tasks:read" }, t("settings.tokenRead")), h("option", { value: "tasks:read tasks:write" }, t("settings.tokenWrite")));
  const expires = h("input", { name: "expiresAt", type: "date" });
  const message = h("p", { class: "form-error", role: "alert" });
  const form = h("form", { class: "stack" }, field(t("settings.tokenName"), name), field(t("settings.tokenScopes"), scopes), field(t("settings.tokenExpires"), expires), message,
    h("div", {}, saveButton(t("settings.tokenCreate"))));
  const update = rereading({
    read: async () => (await api.tokens()).filter((token) => token.kind !== "session"),
    draw: (items) => list.replaceChildren(...items.map((token) => h("li", {},
      h("span", { class: "grow" }, h("strong", {}, token.name), h("br"),
        h("small", {}, `${token.scopes.join(", ")} · ${token.expiresAt ? t("settings.tokenUntil", { when: momentName(token.expiresAt) }) : t("settings.tokenNever")}`)),
      iconButton("close", t("settings.tokenRevoke", { name: token.name }), { onclick: () => update(() => api.deleteToken(token.id)) })))),
    message,
  });
  onSubmit(form, message, async () => {
    const token = await api.createToken({ name: name.value.trim(), scopes: scopes.value.split(" "), ...(expires.value && { expiresAt: `${expires.value}T23:59:59Z` }) });
    made.hidden = false;
    made.replaceChildren(h("p", {}, t("settings.tokenOnce")), h("code", { class: "token" }, token.token));
    form.reset();
    await update();
  });
  update();
  return section(t("settings.tokens"), h("p", { class: "hint" }, t("settings.tokensHint")), list, made, form);
}

function data() {
  return section(t("settings.data"), h("div", { class: "stack" },
    h("p", {}, h("a", { class: "button", href: "/v1/me/export", download: "todo-export.json" }, t("settings.export"))),
    h("p", {}, h("button", { type: "button", class: "button", onclick: () => dispatchEvent(new Event("todo:sign-out")) }, icon("signout"), t("sign.out"))),
    h("p", { class: "hint" }, t("settings.eraseHint")),
    h("p", {}, h("button", { type: "button", class: "button danger", onclick: erase }, t("settings.erase")))));
}

function erase() {
  const secret = h("input", { name: "password", type: "password", required: true, autocomplete: "current-password" });
  openForm({
    title: t("settings.erase"), action: t("settings.erase"), fields: [h("p", {}, t("settings.eraseSure")), field(t("sign.password"), secret)],
    submit: async () => {
      // When the answer comes the session may have ended.
      const { id } = store.me;
      await api.eraseMe(secret.value);
      dispatchEvent(new CustomEvent("todo:erased", { detail: id }));
    },
  });
}
