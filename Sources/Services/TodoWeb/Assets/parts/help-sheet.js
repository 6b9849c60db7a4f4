// The keyboard shortcuts, on one sheet.

import { h } from "../lib/dom.js";
import { preferences } from "../preferences.js";
import { t } from "../texts.js";
import { openDialog } from "./overlay.js";

const general = [["n", "add"], ["/", "search"], ["r", "reminders"], ["?", "help"], ["Ctrl+Z", "undo"], ["g i", "goInbox"], ["g t", "goToday"], ["g u", "goUpcoming"], ["g a", "goActivity"], ["Esc", "escape"]];
const list = [
  ["j k ↓ ↑", "move"], ["Enter o", "open"], ["e F2", "inline"], ["c Space", "complete"], ["x", "select"], ["Shift+↓ Shift+↑", "selectMore"], ["Ctrl+A", "selectAll"],
  ["d", "due"], ["p", "priority"], ["t", "tags"], ["m", "project"], ["Del", "delete"], ["Alt+↑ Alt+↓", "reorder"], ["Alt+→ Alt+←", "nest"],
];

export function openHelp() {
  const table = (title, rows) => h("section", {}, h("h3", {}, title), h("dl", { class: "keys" }, rows.map(([keys, name]) =>
    h("div", {}, h("dt", {}, keys.split(" ").map((key) => h("kbd", {}, key))), h("dd", {}, t(`key.${name}`))))));
  const dialog = openDialog({ title: t("help.title"), className: "wide", body: [!preferences.shortcuts && h("p", { class: "notice" }, t("help.off")), h("div", { class: "columns" }, table(t("help.general"), general), table(t("help.list"), list))] });
  // There is nothing in it to be focused, and on a phone it is longer than the screen.
  dialog.querySelector(".dialog-body").tabIndex = 0;
}
