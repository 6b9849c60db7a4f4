// Short messages at the foot of the page, with the offer to undo. What they say is read out, and what they offer can
// always be had otherwise too (Ctrl+Z, the bin), for they go away by themselves.

import { h, iconButton } from "../lib/dom.js";
import { t } from "../texts.js";

const shownFor = 8000;

class UndoToast extends HTMLElement {
  #timer = null;

  connectedCallback() {
    this.setAttribute("role", "status");
    this.addEventListener("pointerenter", () => clearTimeout(this.#timer));
    this.addEventListener("focusin", () => clearTimeout(this.#timer));
    this.addEventListener("pointerleave", () => this.#hideLater());
    this.addEventListener("focusout", () => this.#hideLater());
  }

  show(text, action) {
    const button = action && h("button", {
      type: "button", class: "toast-action", onclick: () => {
        this.hide();
        action.run();
      },
    }, action.label);
    this.replaceChildren(h("div", { class: "toast" }, h("span", {}, text), button,
      iconButton("close", t("undo.dismiss"), { onclick: () => this.hide() })));
    this.#hideLater();
  }

  #hideLater() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), shownFor);
  }

  hide() {
    clearTimeout(this.#timer);
    this.replaceChildren();
  }
}

customElements.define("undo-toast", UndoToast);

/** A dialog makes what is behind it inert: inside of one, messages are there. */
function place(element) {
  const host = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (element.parentElement !== host) host.append(element);
  return element;
}

export const toast = (text, action) => place(document.querySelector("undo-toast") ?? h("undo-toast")).show(text, action);

export const hideToast = () => document.querySelector("undo-toast")?.hide();

/** Brings what is said out of a dialog that closes. */
export function keepMessages(dialog) {
  document.body.append(...dialog.querySelectorAll("undo-toast, reminder-notices"));
}

let region;
/** Says something to assistive technology only. */
export function announce(text) {
  region ??= h("div", { class: "visually-hidden", role: "log", "aria-live": "polite" });
  place(region).replaceChildren(h("p", {}, text));
}
