// Asks how far a change of a task that repeats is to reach.

import { h } from "../lib/dom.js";
import { openDialog } from "./overlay.js";
import { t } from "../texts.js";

export const scopes = ["this", "following", "all"];

/** `kind` is "edit" or "delete". Resolves to one of `scopes`, or to null when the person wants neither. */
export function askScope(kind, count) {
  return new Promise((resolve) => {
    let answer = null;
    const choice = (scope) => h("button", { type: "button", class: "button wide", onclick: () => { answer = scope; dialog.close(); } }, t(`scope.${kind}.${scope}`));
    const buttons = scopes.map(choice);
    const dialog = openDialog({ title: t(`scope.${kind}`, { n: count }), className: "small", body: h("div", { class: "stack" }, buttons), onclose: () => resolve(answer) });
    buttons[0].focus();
  });
}
