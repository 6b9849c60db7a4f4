// Descriptions that somebody else's came before, by task: they stay in the browser until the person has chosen.

import { store } from "./store.js";

/** Where the browser keeps nothing, for as long as the page lives. */
const unkept = new Map();

const keyOf = (id) => `todo.draft.${store.me.id}.${store.resolve(id)}`;

/** Undefined when there is none. */
export function draftOf(id) {
  const key = keyOf(id);
  try {
    return localStorage.getItem(key) ?? unkept.get(key);
  } catch {
    return unkept.get(key);
  }
}

export function keepDraft(id, text) {
  dropDraft(id);
  try {
    localStorage.setItem(keyOf(id), text);
  } catch {
    unkept.set(keyOf(id), text);
  }
}

/** Keeps a text beside the one that may be there already, such as from another window. */
export function addDraft(id, text) {
  const last = draftOf(id);
  keepDraft(id, last === undefined || last === text ? text : `${last}\n\n${text}`);
}

export function dropDraft(id) {
  unkept.delete(keyOf(id));
  try {
    localStorage.removeItem(keyOf(id));
  } catch {
    // A browser that keeps nothing has none.
  }
}
