// What belongs to this browser and not to the account; and that nothing of an account stays in it that was erased.

const key = "todo.preferences";
const defaults = { theme: "system", shortcuts: true, notifications: false, collapsed: [] };

function stored() {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "{}");
  } catch {
    return {};
  }
}

export const preferences = { ...defaults, ...stored() };

export function setPreference(name, value) {
  // Another window may have set others meanwhile.
  Object.assign(preferences, stored(), { [name]: value });
  remember(key, JSON.stringify(preferences));
  if (name === "theme") applyTheme();
}

export function remember(key, text) {
  try {
    localStorage.setItem(key, text);
  } catch {
    // A browser that keeps nothing: it holds for this page.
  }
}

/** Forgets what is kept of a person who is gone for good: in each key of theirs is their id, or it is the value. */
export function forgetPerson(id) {
  try {
    for (const [key, value] of Object.entries(localStorage)) {
      if (key.startsWith("todo.") && (value === id || key.split(".").includes(id))) localStorage.removeItem(key);
    }
  } catch {
    // A browser that keeps nothing.
  }
}

export function applyTheme() {
  if (preferences.theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = preferences.theme;
}

/** What is chosen in one window holds in all. */
addEventListener("storage", (event) => {
  if (event.key !== key) return;
  Object.assign(preferences, stored());
  applyTheme();
});

/** Tasks whose subtasks are not shown. */
export const collapsed = {
  has: (id) => preferences.collapsed.includes(id),
  toggle(id) {
    const rest = (stored().collapsed ?? preferences.collapsed).filter((each) => each !== id);
    setPreference("collapsed", this.has(id) ? rest : [...rest, id].slice(-500));
  },
};
