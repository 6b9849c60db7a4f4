// <sign-in>: into an account, or to a new one.

import { Problem, api } from "../data/api.js";
import { ownZone } from "../lib/dates.js";
import { field, h } from "../lib/dom.js";
import { t } from "../texts.js";
import { onSubmit } from "./overlay.js";

class SignIn extends HTMLElement {
  #isNew = false;

  /** Why the person is asked; shown above the form. */
  reason = "";

  connectedCallback() {
    this.#show();
  }

  /** With the address that was entered already. */
  #show(address = "") {
    const email = h("input", { name: "email", type: "email", required: true, value: address, autocomplete: "username", inputMode: "email" });
    const name = h("input", { name: "name", maxLength: 100, autocomplete: "name" });
    const password = h("input", { name: "password", type: "password", required: true, minLength: this.#isNew ? 8 : 1, autocomplete: this.#isNew ? "new-password" : "current-password" });
    const message = h("p", { class: "form-error", role: "alert" });
    const title = t(this.#isNew ? "sign.up" : "sign.in");
    const form = h("form", { class: "stack sign-card", "aria-labelledby": "sign-title" },
      h("p", { class: "brand", "aria-hidden": "true" }, t("app.name")), h("h1", { id: "sign-title" }, title), this.reason && h("p", { class: "notice" }, this.reason),
      this.#isNew && field(t("sign.name"), name), field(t("sign.email"), email), field(t(this.#isNew ? "sign.newPassword" : "sign.password"), password), message,
      h("button", { type: "submit", class: "button primary wide" }, title),
      h("button", { type: "button", class: "link-button", onclick: () => this.#toggle(email.value) }, t(this.#isNew ? "sign.toIn" : "sign.toUp")));
    onSubmit(form, message, () => this.#submit(email.value.trim(), password.value, name.value.trim()));
    document.title = `${title} · ${t("app.name")}`;
    this.replaceChildren(h("main", { class: "sign-page", "aria-labelledby": "sign-title" }, form));
    (this.#isNew ? name : email).focus();
  }

  #toggle(address) {
    this.#isNew = !this.#isNew;
    this.#show(address);
  }

  async #submit(email, password, name) {
    try {
      if (this.#isNew) await api.signUp({ email, password, zone: ownZone(), ...(name && { name }) });
      const { user } = await api.signIn(email, password);
      this.dispatchEvent(new CustomEvent("signed-in", { detail: user }));
    } catch (error) {
      if (error instanceof Problem && error.status === 401) throw new Error(t("sign.wrong"), { cause: error });
      if (error instanceof Problem && error.status === 403 && this.#isNew) throw new Error(t("sign.closed"), { cause: error });
      throw error;
    }
  }
}

customElements.define("sign-in", SignIn);
