// Dialogs and menus on the browser's own <dialog> and popovers: they trap focus, close on Escape and give focus back.

import { h, icon, iconButton, isPhone, rememberFocus, uniqueId } from "../lib/dom.js";
import { t } from "../texts.js";
import { keepMessages } from "./undo-toast.js";

/**
 * Opens a modal dialog. `className` "sheet" puts it at the side of the page, full on a phone.
 * @returns the dialog; it is removed from the document when it closes
 */
export function openDialog({ title, body, className = "", onclose }) {
  const heading = h("h2", { id: uniqueId("dialog"), class: "dialog-title" }, title);
  const dialog = h("dialog", { class: `dialog ${className}`.trim(), "aria-labelledby": heading.id },
    h("div", { class: "dialog-head" }, heading, iconButton("close", t("dialog.close"), { class: "icon-button dialog-close", onclick: () => dialog.close() })),
    h("div", { class: "dialog-body" }, body));
  const giveBack = rememberFocus();
  // Not the second press of a double click whose first has opened it.
  dialog.addEventListener("mousedown", (event) => event.detail < 2 && event.target === dialog && isOutside(dialog, event) && dialog.close());
  dialog.addEventListener("close", () => {
    keepMessages(dialog);
    dialog.remove();
    onclose?.();
    if (document.activeElement === document.body) giveBack();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function isOutside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}

/** Asks before something that cannot be undone. Resolves to true when the person wants it. */
export function confirm(text, action) {
  return new Promise((resolve) => {
    let answer = false;
    const yes = h("button", { type: "button", class: "button danger", onclick: () => { answer = true; dialog.close(); } }, action);
    const no = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, t("dialog.cancel"));
    const dialog = openDialog({ title: action, className: "small", body: [h("p", {}, text), h("div", { class: "actions" }, no, yes)], onclose: () => resolve(answer) });
    no.focus();
  });
}

/** A form in a dialog; `submit(form)` may throw a Problem, which is shown beside the fields. */
export function openForm({ title, fields, action, submit, className = "small", extra }) {
  const message = h("p", { class: "form-error", role: "alert" });
  const form = h("form", { class: "stack" }, fields, message,
    h("div", { class: "actions" }, extra, h("span", { class: "spacer" }),
      h("button", { type: "button", class: "button", onclick: () => dialog.close() }, t("dialog.cancel")),
      h("button", { type: "submit", class: "button primary" }, action)));
  onSubmit(form, message, async () => {
    await submit(form);
    dialog.close();
  });
  const dialog = openDialog({ title, className, body: form });
  form.querySelector("input, select, textarea")?.focus();
  return dialog;
}

/** Runs `work` when the form is sent, tells what went wrong in `message`, and takes nothing twice. */
export function onSubmit(form, message, work) {
  form.noValidate = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    message.replaceChildren();
    for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
    try {
      await work();
    } catch (error) {
      showProblem(form, message, error);
    } finally {
      form.ariaBusy = "false";
    }
  });
}

function showProblem(form, message, error) {
  const lines = error.fields?.length ? error.fields.map(({ field, detail }) => `${labelOf(form, field)}: ${detail}`) : [error.message];
  message.replaceChildren(lines.join(" "));
  const wrong = error.fields?.map(({ field }) => form.elements.namedItem(field)).find(Boolean);
  wrong?.setAttribute("aria-invalid", "true");
  wrong?.focus();
}

const labelOf = (form, name) => form.elements.namedItem(name)?.labels?.[0]?.textContent ?? name;

/** Puts a popover below its anchor, or above where there is no room. */
export function placeBeside(popover, anchor) {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const left = Math.max(8, Math.min(box.left, innerWidth - width - 8));
  const fits = box.bottom + 4 + height <= innerHeight - 8;
  const top = fits ? box.bottom + 4 : Math.max(8, box.top - height - 4);
  popover.style.left = `${left}px`;
  popover.style.top = `${Math.min(top, Math.max(8, innerHeight - height - 8))}px`;
}

/** A panel beside its anchor that closes on Escape, on a click elsewhere and by `hidePopover()`. */
export function openPopover(anchor, { label, body, className = "", onclose, role = "dialog" }) {
  const popover = h("div", { class: `popover ${className}`.trim(), popover: "auto", role, "aria-label": label }, body);
  const host = anchor.closest("dialog[open], main, nav, [role=region]") ?? document.body;
  const giveBack = rememberFocus(anchor);
  popover.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    listening.abort();
    const hadFocus = popover.contains(document.activeElement) || document.activeElement === document.body;
    popover.remove();
    onclose?.();
    if (hadFocus) giveBack();
  });
  // What is below it must not have the focus unseen. A press on the panel itself gives the focus to what is around it.
  const listening = new AbortController();
  document.addEventListener("focusin", ({ target }) => popover.contains(target) || target.contains(popover) || popover.hidePopover(), { signal: listening.signal });
  host.append(popover);
  popover.showPopover();
  placeBeside(popover, anchor);
  return popover;
}

/**
 * A menu of commands. Items: {label, icon?, run, isChecked?, isDanger?, key?} or null for a line between groups.
 * Arrow keys, Home, End and first letters move in it.
 */
export function openMenu(anchor, label, items) {
  const close = (run) => {
    popover.hidePopover();
    run();
  };
  const entries = items.filter((item) => item !== undefined && item !== false).map((item) =>
    item === null ? h("hr", { role: "separator" }) : h("button", {
      type: "button", role: item.isChecked === undefined ? "menuitem" : "menuitemradio", tabIndex: -1,
      "aria-checked": item.isChecked === undefined ? undefined : String(item.isChecked),
      class: `menu-item${item.isDanger ? " danger" : ""}`, onclick: () => close(item.run),
    }, item.icon && icon(item.icon, item.iconClass), h("span", {}, item.label), item.key && !isPhone() && h("kbd", { "aria-hidden": "true" }, item.key)));
  const popover = openPopover(anchor, { label, body: entries, className: "menu", role: "menu" });
  const buttons = entries.filter((entry) => entry.tagName === "BUTTON");
  const move = (index) => buttons[(index + buttons.length) % buttons.length].focus();
  popover.addEventListener("keydown", (event) => {
    const index = buttons.indexOf(document.activeElement);
    const steps = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: buttons.length - 1 };
    if (event.key in steps) move(steps[event.key]);
    else if (event.key === "Tab") popover.hidePopover();
    else if (event.key.length === 1 && /\S/.test(event.key)) letter(event.key.toLowerCase(), index);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const letter = (key, index) => {
    const rotated = [...buttons.slice(index + 1), ...buttons.slice(0, index + 1)];
    rotated.find((button) => button.textContent.trim().toLowerCase().startsWith(key))?.focus();
  };
  (buttons.find((button) => button.ariaChecked === "true") ?? buttons[0])?.focus();
  return popover;
}
