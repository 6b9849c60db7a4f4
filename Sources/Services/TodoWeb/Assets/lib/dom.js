// Small helpers around the DOM. Text only ever becomes text nodes: nothing here parses HTML.

const svgNamespace = "http://www.w3.org/2000/svg";

/**
 * Makes an element. Properties starting with "on" are listeners, `class` and `data-…`, `aria-…` and `role` attributes,
 * `style` an object of CSS properties, and everything else is set as a property where the element has one.
 * Children that are null, undefined or false are left out.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (name === "class") element.className = value;
    else if (name in element && !name.startsWith("aria-") && name !== "role") element[name] = value;
    else if (value !== false || name.startsWith("aria-")) element.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : value);
  }
  append(element, children);
  return element;
}

/** Replaces the children of an element, and leaves it alone when they are the same already. */
export function fill(element, ...children) {
  const nodes = children.flat(Infinity).filter(isShown).map(node);
  const same = nodes.length === element.childNodes.length && nodes.every((child, index) => child === element.childNodes[index]);
  if (!same) element.replaceChildren(...nodes);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) if (isShown(child)) element.append(node(child));
}

const isShown = (child) => child !== null && child !== undefined && child !== false;
const node = (child) => (child instanceof Node ? child : document.createTextNode(String(child)));

/** 24 x 24, drawn in the colour of the text. Icons say nothing to assistive technology: their button has a name. */
const shapes = {
  activity: "M3 12h4l3-8 4 16 3-8h4",
  archive: "M4 8h16v11a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1zM3 4h18v4H3zM10 12h4",
  bell: "M6 17v-6a6 6 0 0 1 12 0v6l2 1H4zM10 21h4",
  bin: "M4 7h16M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3",
  calendar: "M5 5h14a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM4 10h16M8 3v4M16 3v4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  chevron: "M9 6l6 6-6 6",
  close: "M6 6l12 12M18 6L6 18",
  done: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12.5l2.8 2.8L16 10",
  edit: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  filter: "M4 5h16l-6 8v5l-4 2v-7z",
  flag: "M6 21V4M6 4h11l-2 4 2 4H6",
  folder: "M4 6h6l2 2h8v11H4z",
  grip: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
  help: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 17h.01",
  inbox: "M4 13l3-8h10l3 8v6H4zM4 13h5l1 2h4l1-2h5",
  list: "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01",
  mail: "M4 6h16v12H4zM4 7l8 6 8-6",
  menu: "M4 7h16M4 12h16M4 17h16",
  more: "M5 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0M11 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0M17 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0",
  pause: "M9 6v12M15 6v12",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-3.5 2.5-6 6-6s6 2.5 6 6M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5c2 .8 3 2.800 3 5.500",
  play: "M8 5l11 7-11 7z",
  plus: "M12 5v14M5 12h14",
  repeat: "M5 11V9a3 3 0 0 1 3-3h11M16 3l3 3-3 3M19 13v2a3 3 0 0 1-3 3H5M8 21l-3-3 3-3",
  search: "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM15.500 15.500L20 20",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  signout: "M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9",
  skip: "M6 6l8 6-8 6zM18 6v12",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.500 1.500M17.500 17.500L19 19M5 19l1.500-1.500M17.500 6.500L19 5",
  tag: "M4 4h7l9 9-7 7-9-9zM8 8h.01",
  today: "M5 5h14a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM4 10h16M8 3v4M16 3v4M9 15l2 2 4-4",
  undo: "M9 7L4 12l5 5M4 12h10a5 5 0 0 1 0 10h-2",
  webhook: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
};

const drawn = new Map();
export function icon(name, className) {
  if (!drawn.has(name)) {
    const svg = document.createElementNS(svgNamespace, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(svgNamespace, "path");
    path.setAttribute("d", shapes[name]);
    svg.append(path);
    drawn.set(name, svg);
  }
  const svg = drawn.get(name).cloneNode(true);
  if (className) svg.classList.add(className);
  return svg;
}

/** A button that shows an icon only; its name is read out and shown as a tip. */
export function iconButton(name, label, properties = {}) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, ...properties }, icon(name));
}

/** A label above its control; `hint` and errors are found by the control through aria-describedby. */
export function field(label, control, hint) {
  control.id ||= uniqueId("field");
  const help = hint && h("small", { id: uniqueId("hint"), class: "hint" }, hint);
  if (help) control.setAttribute("aria-describedby", help.id);
  return h("div", { class: "field" }, h("label", { htmlFor: control.id }, label), control, help);
}

let lastId = 0;
export const uniqueId = (prefix) => `${prefix}-${++lastId}`;

/** Calls `work` once, in the next frame, however often it is asked for until then; `now()` does at once what was asked. */
export function eachFrame(work) {
  let asked = false;
  const now = () => {
    if (!asked) return;
    asked = false;
    work();
  };
  const ask = () => {
    if (!asked) requestAnimationFrame(now);
    asked = true;
  };
  return Object.assign(ask, { now });
}

/** Calls `work` when nobody has asked for `milliseconds`. */
export function debounce(milliseconds, work) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}

/** Whether keys go into text at the moment, so that single letters must not be commands. */
export function isTyping(element = document.activeElement) {
  if (!element) return false;
  if (element.isContentEditable || element.tagName === "TEXTAREA" || element.tagName === "SELECT") return true;
  return element.tagName === "INPUT" && !["checkbox", "radio", "button", "submit"].includes(element.type);
}

/** Gives the focus back later to what has it now, or to what took its place: a row that was drawn anew keeps its id. */
export function rememberFocus(element = document.activeElement) {
  const id = element?.closest("[id]")?.id;
  return () => (element?.isConnected ? element : id && document.getElementById(id))?.focus?.();
}

/** As narrow as the style sheets call a phone; a window may be so at one moment and not at the next. */
export const phone = matchMedia("(max-width: 47.99rem)");
export const isPhone = () => phone.matches;
