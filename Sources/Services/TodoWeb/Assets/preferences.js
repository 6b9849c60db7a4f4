// What belongs to this browser and not to the account.

const key = "todo.preferences";
const defaults = { theme: "system", shortcuts: true, notifications: false, collapsed: [] };

function read() {
  try {
    return { ...defaults, ...JSON.parse(localStorage.getItem(key) ?? "{}") };
  } catch {
    return { ...defaults };
  }
}

export const preferences = read();

export function setPreference(name, value) {
  preferences[name] = value;
  try {
    localStorage.setItem(key, JSON.stringify(preferences));
  } catch {
    // A browser that keeps nothing: it holds for this page.
  }
  if (name === "theme") applyTheme();
}

export function applyTheme() {
  if (preferences.theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = preferences.theme;
}

/** Tasks whose subtasks are not shown. */
export const collapsed = {
  has: (id) => preferences.collapsed.includes(id),
  toggle(id) {
    const rest = preferences.collapsed.filter((each) => each !== id);
    setPreference("collapsed", rest.length === preferences.collapsed.length ? [...rest, id].slice(-500) : rest);
  },
};
