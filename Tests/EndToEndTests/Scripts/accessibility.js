// The body of a function that runs in the page: gives a list of what does not hold to WCAG 2.2 AA; nothing when all does.

const wrong = [];
const host = [...document.querySelectorAll(":popover-open")].at(-1) ?? [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
const isSeen = (each) => each.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && each.getClientRects().length > 0;
const describe = (each) => `<${each.tagName.toLowerCase()} class="${each.getAttribute("class") ?? ""}"> “${(each.getAttribute("aria-label") ?? each.textContent).trim().slice(0, 40)}”`;

// Colours, blended over what is behind them.
const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
function rgba(text) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = text;
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
  return [red, green, blue, alpha / 255];
}
const over = (top, below) => [0, 1, 2].map((index) => top[index] * top[3] + below[index] * (1 - top[3])).concat(1);
function ground(element) {
  const layers = [];
  for (let each = element; each; each = each.parentElement) {
    const color = rgba(getComputedStyle(each).backgroundColor);
    if (color[3] > 0) layers.push(color);
    if (color[3] === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
}
const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
function contrast(left, right) {
  const [light, dark] = [luminance(left), luminance(right)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

// 1.4.3 Contrast of text
const texts = document.createTreeWalker(host, NodeFilter.SHOW_TEXT);
for (let node = texts.nextNode(); node; node = texts.nextNode()) {
  const element = node.parentElement;
  if (!node.data.trim() || !isSeen(element) || element.closest(".visually-hidden, :disabled, [inert], option, noscript")) continue;
  const style = getComputedStyle(element);
  const below = ground(element);
  const ratio = contrast(over(rgba(style.color), below), below);
  const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (isLarge ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)} of ${describe(element)}`);
}
for (const field of host.querySelectorAll("input[placeholder], textarea[placeholder]")) {
  if (!isSeen(field)) continue;
  const below = ground(field);
  const ratio = contrast(over(rgba(getComputedStyle(field, "::placeholder").color), below), below);
  if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(2)} of the placeholder of ${describe(field)}`);
}

// 1.4.11 Contrast of icons that stand alone, and of the edges of fields
for (const button of host.querySelectorAll(".icon-button, .complete")) {
  if (!isSeen(button) || button.disabled || button.closest("[inert]")) continue;
  const below = ground(button);
  const ratio = contrast(over(rgba(getComputedStyle(button).color), below), below);
  if (ratio < 3) wrong.push(`contrast ${ratio.toFixed(2)} of the icon of ${describe(button)}`);
}
for (const field of host.querySelectorAll("input:not([type=checkbox]), select, textarea")) {
  const frame = field.closest(".add-form, .filter, .subtask-form") ?? field;
  if (!isSeen(field) || frame !== field || field.disabled || field.classList.contains("editor-title")) continue;
  const ratio = contrast(over(rgba(getComputedStyle(field).borderTopColor), ground(field.parentElement)), ground(field.parentElement));
  if (ratio < 3) wrong.push(`contrast ${ratio.toFixed(2)} of the edge of ${describe(field)}`);
}

// 2.5.8 Targets of 24 pixels; links inside of text are exempt
const targets = "button, a[href], input, select, textarea, summary";
for (const target of host.querySelectorAll(targets)) {
  if (!isSeen(target) || target.closest("[inert], .markdown, .skip")) continue;
  const label = target.type === "checkbox" ? target.closest("label") : null;
  const box = (label ?? target).getBoundingClientRect();
  if (Math.min(box.width, box.height) < 23.9) wrong.push(`target of ${Math.round(box.width)} x ${Math.round(box.height)}: ${describe(target)}`);
}

// 4.1.2 Names; ids that are referred to; 1.3.1 one level-one heading; 3.1.1 language; 2.4.2 title
for (const control of host.querySelectorAll(`${targets}, [role=treegrid], [role=toolbar], [role=dialog], dialog, nav, main`)) {
  if (!isSeen(control)) continue;
  const byId = (control.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
  const name = control.getAttribute("aria-label") || byId.trim() || [...(control.labels ?? [])].map((each) => each.textContent).join(" ") || (/^(BUTTON|A|SUMMARY)$/.test(control.tagName) ? control.textContent : "");
  if (!name.trim()) wrong.push(`no name: ${describe(control)}`);
}
for (const name of ["aria-labelledby", "aria-describedby", "aria-controls", "for"]) {
  for (const element of document.querySelectorAll(`[${name}]`)) {
    for (const id of element.getAttribute(name).split(" ")) if (!document.getElementById(id)) wrong.push(`${name} of ${describe(element)} refers to nothing`);
  }
}
const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
for (const id of new Set(ids)) if (ids.filter((each) => each === id).length > 1) wrong.push(`the id ${id} is there more than once`);
if ([...document.querySelectorAll("h1")].filter((each) => each.checkVisibility()).length !== 1) wrong.push("there is not one level-one heading");
if (!document.documentElement.lang) wrong.push("the page has no language");
if (!document.title) wrong.push("the page has no title");

// 1.4.10 Reflow
if (document.documentElement.scrollWidth > innerWidth) wrong.push(`the page is ${document.documentElement.scrollWidth} wide, the window ${innerWidth}`);

return [...new Set(wrong)];
