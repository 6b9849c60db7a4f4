// Making, changing and sharing projects; saving and changing filters.

import { removeProject } from "../actions.js";
import { api } from "../data/api.js";
import { store } from "../data/store.js";
import { writeRoute } from "../data/views.js";
import { field, h, iconButton } from "../lib/dom.js";
import { rereading } from "../lib/reread.js";
import { confirm, onSubmit, openDialog, openForm, openMenu } from "./overlay.js";
import { t } from "../texts.js";
import { toast } from "./undo-toast.js";

const colors = { red: "#d64545", orange: "#d9822b", yellow: "#c99a06", green: "#3f9142", teal: "#2a9d8f", blue: "#3b7dd8", violet: "#7d5bbe", pink: "#c2528b" };

function projectFields(project) {
  return [
    field(t("project.name"), h("input", { name: "name", required: true, maxLength: 100, value: project?.name ?? "", autocomplete: "off" })),
    field(t("project.color"), h("select", { name: "color" }, h("option", { value: "" }, t("project.noColor")),
      Object.entries(colors).map(([name, value]) => h("option", { value, selected: value === project?.color }, t(`color.${name}`))))),
  ];
}

const projectOf = (form) => ({ name: form.elements.namedItem("name").value.trim(), color: form.elements.namedItem("color").value || null });

export function openNewProject() {
  openForm({
    title: t("project.new"), action: t("project.save"), fields: projectFields(), submit: async (form) => {
      const project = await api.createProject(projectOf(form));
      store.putProject(project);
      location.hash = writeRoute({ name: "project", id: project.id });
      toast(t("project.saved", { name: project.name }));
    },
  });
}

function openEditProject(project) {
  openForm({
    title: t("project.edit"), action: t("project.save"), fields: projectFields(project), submit: async (form) => {
      store.putProject(await api.updateProject(project.id, projectOf(form)));
      toast(t("project.saved", { name: store.projects.get(project.id).name }));
    },
  });
}

/** Says why, where the server refuses. */
export const told = (work) => () => work().catch((error) => toast(t("undo.refused", { detail: error.message })));

/** The menu beside the title of a project. */
export function openProjectMenu(anchor, project) {
  const isOwner = project.role === "owner";
  openMenu(anchor, t("project.actions"), [
    isOwner && { label: t("project.edit"), icon: "edit", run: () => openEditProject(project) },
    { label: isOwner ? t("project.share") : t("project.members"), icon: "people", run: () => openMembers(project) },
    isOwner && { label: t(project.isArchived ? "project.unarchive" : "project.archive"), icon: "archive", run: told(async () => store.putProject(await api.updateProject(project.id, { isArchived: !project.isArchived }))) },
    isOwner && null,
    isOwner && { label: t("project.delete"), icon: "bin", isDanger: true, run: told(() => removeProject(project)) },
    !isOwner && { label: t("project.leave"), icon: "signout", isDanger: true, run: told(() => leaveProject(project)) },
  ]);
}

async function leaveProject(project) {
  if (!(await confirm(t("project.leaveSure", { name: project.name }), t("project.leave")))) return;
  await api.removeMember(project.id, store.me.id);
  await store.loadProjects();
  location.hash = writeRoute({ name: "inbox" });
}

const roleSelect = (role, properties) => h("select", properties, ["editor", "viewer"].map((each) => h("option", { value: each, selected: each === role }, t(`project.${each}`))));

function openMembers(project) {
  const isOwner = project.role === "owner";
  const list = h("ul", { class: "members" });
  const failure = h("p", { class: "form-error", role: "alert" });
  const update = rereading({
    read: () => api.members(project.id), draw: (members) => list.replaceChildren(...members.map(item)), message: failure,
  });
  const item = ({ user, name, email, role }) => h("li", {},
    h("span", { class: "grow" }, h("strong", {}, name), h("br"), h("small", {}, email)),
    role === "owner" || !isOwner ? h("span", {}, t(`project.${role}`)) : roleSelect(role, {
      "aria-label": t("project.roleOf", { name }),
      onchange: (event) => update(() => api.updateMember(project.id, user, event.target.value)),
    }),
    isOwner && role !== "owner" && iconButton("close", t("project.remove", { name }), {
      onclick: () => update(() => api.removeMember(project.id, user)),
    }));
  const email = h("input", { name: "email", type: "email", required: true, autocomplete: "off" });
  const role = roleSelect("editor", { name: "role" });
  const form = h("form", { class: "invite stack" }, field(t("sign.email"), email), field(t("project.role"), role),
    h("button", { type: "submit", class: "button primary" }, t("project.invite")));
  onSubmit(form, failure, async () => {
    const name = email.value.trim();
    await api.invite(project.id, name, role.value);
    email.value = "";
    await update();
    toast(t("project.invited", { name }));
  });
  openDialog({ title: `${t("project.members")}: ${project.name}`, className: "small", body: [list, isOwner && form, failure] });
  update();
}

/** Saves a query under a name, or changes a filter that there is. */
export function openFilterForm({ query, filter }) {
  openForm({
    title: t(filter ? "filters.edit" : "filters.save"), action: t("project.save"),
    fields: [
      field(t("filters.name"), h("input", { name: "name", required: true, maxLength: 100, value: filter?.name ?? "", autocomplete: "off" })),
      field(t("filters.query"), h("input", { name: "query", required: true, maxLength: 2000, value: query, autocomplete: "off", spellcheck: false }), t("filters.help")),
    ],
    submit: async (form) => {
      const body = { name: form.elements.namedItem("name").value.trim(), query: form.elements.namedItem("query").value.trim() };
      const saved = filter ? await api.updateFilter(filter.id, body) : await api.createFilter(body);
      store.putFilter(saved);
      location.hash = writeRoute({ name: "filter", id: saved.id });
      toast(t("filters.saved", { name: saved.name }));
    },
  });
}

export const removeFilter = (filter) => told(async () => {
  await api.deleteFilter(filter.id);
  store.dropFilter(filter.id);
  location.hash = writeRoute({ name: "search", q: filter.query });
  toast(t("filters.deleted", { name: filter.name }), { label: t("undo.undo"), run: told(async () => {
    const again = await api.createFilter({ name: filter.name, query: filter.query });
    store.putFilter(again);
    location.hash = writeRoute({ name: "filter", id: again.id });
  }) });
})();
