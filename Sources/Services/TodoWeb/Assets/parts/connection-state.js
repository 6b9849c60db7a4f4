// <connection-state>: whether what is on the screen is what others see, and how much waits to be saved.

import { h } from "../lib/dom.js";
import { t } from "../texts.js";

/** An outage shorter than this is not worth a word. */
const patience = 400;

class ConnectionState extends HTMLElement {
  #text = h("span", { class: "connection-text" });
  #timer;

  connectedCallback() {
    this.setAttribute("role", "status");
    this.replaceChildren(h("span", { class: "connection-dot", "aria-hidden": "true" }), this.#text);
  }

  watch(live, outbox) {
    const show = () => {
      clearTimeout(this.#timer);
      const isQuiet = live.state === "live" && outbox.entries.length === 0;
      this.#timer = setTimeout(() => this.#show(live.state, outbox.entries.length), isQuiet ? 0 : patience);
    };
    live.addEventListener("state", show);
    outbox.addEventListener("change", show);
    show();
  }

  #show(state, waiting) {
    if (state === "stopped") return;
    this.dataset.state = state;
    const name = t(`connection.${state}`);
    const text = waiting ? t("connection.waiting", { state: name, n: waiting }) : name;
    if (this.#text.textContent !== text) this.#text.replaceChildren(text);
    this.title = text;
  }
}

customElements.define("connection-state", ConnectionState);
