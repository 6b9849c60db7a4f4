// The views that the address of the page names: `#/today`, `#/project/ID`, `#/search?q=…`, each with the filters of its
// bar, and with the task whose sheet is open: `#/today/task/ID`. A definition says what the server is asked for, and how
// the same is decided here where that is possible.

import { store, byPosition } from "./store.js";
import { byCompletion, byDeletion, byDue } from "./task-view.js";
import { addDays, dayName, dueDay, instantDay, longDay, today } from "../lib/dates.js";
import { t } from "../texts.js";

/** {name, id, q, filters, task} of a hash. */
export function parseRoute(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/");
  const [, task] = parts.length > 2 && parts.at(-2) === "task" ? parts.splice(-2) : [];
  const [name, id] = parts;
  const values = Object.fromEntries(new URLSearchParams(search));
  const { q, ...filters } = values;
  return { name: name || "today", id: id && decoded(id), q: q ?? "", filters: keepKnown(filters), task: task && decoded(task) };
}

/** An address that somebody cut short is still one: of something that is not there. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function writeRoute({ name, id, q, filters = {}, task }) {
  const search = new URLSearchParams({ ...(q && { q }), ...keepKnown(filters) }).toString();
  return `#/${name}${id ? `/${encodeURIComponent(id)}` : ""}${task ? `/task/${encodeURIComponent(task)}` : ""}${search ? `?${search}` : ""}`;
}

export const filterNames = ["status", "priority", "due", "tag"];
function keepKnown(filters) {
  return Object.fromEntries(filterNames.filter((name) => filters[name]).map((name) => [name, filters[name]]));
}

/** A text as a value or phrase of the query language. */
export const quoted = (text) => `"${text.replace(/[\\"]/g, "\\$&")}"`;

const dueTerms = { overdue: "due:overdue", today: "due<=today", week: "due:today..+7d", none: "due:none", any: "due:any" };

/** What the bar asks for, in the query language. `status` is what holds while the person chose none. */
export function filterTerms(filters, status = "open") {
  return [
    (filters.status || status) && `status:${filters.status || status}`,
    filters.priority && `priority>=${filters.priority}`,
    filters.due && dueTerms[filters.due],
    filters.tag && `tag:${quoted(filters.tag)}`,
  ].filter(Boolean).join(" ");
}

/** The definition of a view; null when its project or filter is not known. */
export function defineView(route) {
  const make = makers[route.name];
  const definition = make?.(route);
  if (!definition) return null;
  const isFiltered = Object.keys(route.filters).length > 0;
  const whole = { isTree: false, canOrder: false, filterable: true, ...definition };
  if (isFiltered && whole.filterable) {
    const q = [whole.terms, filterTerms(route.filters, whole.isSearch ? "" : "open"), whole.sort && `sort:${whole.sort}`].filter(Boolean).join(" ");
    return { ...whole, key: `query ${q}`, query: q, parameters: { q }, matches: null, isTree: false, canOrder: false, isFiltered };
  }
  return whole;
}

const isOpen = (task) => task.status === "open" && !task.deletedAt;
const dayOf = (task) => dueDay(task.due, store.me);

const makers = {
  __proto__: null,
  inbox: () => store.inbox && ofProject(store.inbox, t("nav.inbox")),
  project: ({ id }) => store.projects.has(id) && ofProject(store.projects.get(id), store.projects.get(id).name),
  today: () => {
    const now = today(store.me);
    return {
      key: `today ${now}`, title: t("nav.today"), subtitle: longDay(now), terms: "due<=today", sort: "due,-priority",
      query: "due<=today status:open sort:due,-priority", parameters: { q: "due<=today status:open sort:due,-priority" },
      matches: (task) => isOpen(task) && task.due && dayOf(task) <= now, compare: byDue,
      groupOf: (task) => (dayOf(task) < now ? t("date.overdue") : t("date.today")), adds: { due: { date: now } },
      empty: t("empty.today"),
    };
  },
  upcoming: () => {
    const now = today(store.me);
    return {
      key: `upcoming ${now}`, title: t("nav.upcoming"), terms: "due>=today", sort: "due,-priority",
      query: "due>=today status:open sort:due,-priority", parameters: { q: "due>=today status:open sort:due,-priority" },
      matches: (task) => isOpen(task) && task.due && dayOf(task) >= now, compare: byDue,
      groupOf: (task) => (dayOf(task) > addDays(now, 1) ? longDay(dayOf(task)) : `${dayName(dayOf(task), now)} · ${longDay(dayOf(task))}`),
      adds: { due: { date: addDays(now, 1) } }, empty: t("empty.upcoming"),
    };
  },
  completed: () => ({
    key: "completed", title: t("nav.completed"), parameters: { q: "status:done sort:-updated" }, filterable: false,
    matches: (task) => task.status === "done" && !task.deletedAt, compare: byCompletion,
    groupOf: (task) => dayName(instantDay(task.completedAt, store.me), today(store.me)), empty: t("empty.completed"),
  }),
  bin: () => ({
    key: "bin", title: t("nav.bin"), subtitle: t("bin.hint"), parameters: { deleted: true, q: "sort:-updated" }, filterable: false, isBin: true,
    matches: (task) => Boolean(task.deletedAt), compare: byDeletion, empty: t("empty.bin"),
  }),
  tag: ({ id }) => ({
    key: `tag ${id}`, title: `#${id}`, terms: `tag:${quoted(id)}`, sort: "due,-priority", adds: { tags: [id] },
    query: `tag:${quoted(id)} status:open`, parameters: { q: `tag:${quoted(id)} status:open sort:due,-priority` },
    matches: (task) => isOpen(task) && task.tags.includes(id), compare: byDue, empty: t("empty.tag"),
  }),
  filter: ({ id }) => {
    const filter = store.filters.get(id);
    return filter && {
      key: `filter ${filter.query}`, title: filter.name, subtitle: filter.query, query: filter.query, filter,
      parameters: { q: filter.query }, matches: null, filterable: false, empty: t("empty.filter"),
    };
  },
  search: ({ q, filters }) => {
    const isFiltered = Object.keys(filters).length > 0;
    return {
      key: `search ${q}`, title: t("nav.search"), query: q, terms: q, parameters: { q }, matches: null, isSearch: true,
      filterable: isFiltered, empty: q ? t("empty.search") : t("empty.searchStart"),
    };
  },
};

function ofProject(project, title) {
  return {
    key: `project ${project.id}`, title, project, terms: `project:${project.id}`, sort: "position",
    query: `project:${project.id} status:open`, parameters: { project: project.id, q: "status:open sort:position" },
    matches: (task) => task.project === project.id && isOpen(task), compare: byPosition,
    isTree: true, canOrder: project.role !== "viewer", isReadOnly: project.role === "viewer",
    adds: { project: project.id }, empty: project.role === "viewer" ? t("empty.readOnly") : t("empty.project"),
  };
}
