// The sections that the settings are made of.

import { h } from "../lib/dom.js";
import { onSubmit } from "./overlay.js";

export const section = (title, ...body) => h("section", { class: "settings-section" }, h("h2", {}, title), body);
export const saveButton = (label) => h("button", { type: "submit", class: "button primary" }, label);

/** A form of its own, which says below its fields what went wrong. */
export function formSection(title, fields, action, work) {
  const message = h("p", { class: "form-error", role: "alert" });
  const form = h("form", { class: "stack" }, fields, message, h("div", {}, saveButton(action)));
  onSubmit(form, message, () => work(form));
  return section(title, form);
}
