// Markdown to DOM nodes: headings, lists, quotes, code, emphasis and links. Everything else, HTML above all, is text.
// Nodes are made one by one, so that nothing that somebody typed is ever parsed as HTML.

import { h } from "./dom.js";

/** @returns a DocumentFragment. Headings begin at level `top`, below those of the page around it. */
export function renderMarkdown(text, top = 3) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(text.replace(/\r\n?/g, "\n").split("\n"), top, 0));
  return fragment;
}

/** Quotes and lists in each other, no deeper than this: a text of a thousand ">" must not be a stack of calls. */
const depthLimit = 8;

function blocks(lines, top, depth) {
  const nodes = [];
  let index = 0;
  const while_ = (test) => {
    const start = index;
    while (index < lines.length && test(lines[index])) index++;
    return lines.slice(start, index);
  };
  while (index < lines.length) {
    const line = lines[index];
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    const fence = /^(`{3,}|~{3,})/.exec(line);
    if (!line.trim()) index++;
    else if (fence) {
      index++;
      const code = while_((each) => !each.startsWith(fence[1]));
      index++;
      nodes.push(h("pre", { tabIndex: 0 }, h("code", {}, code.join("\n"))));
    } else if (heading) {
      index++;
      nodes.push(h(`h${Math.min(6, top + heading[1].length - 1)}`, {}, inline(heading[2])));
    } else if (/^ {0,3}([-*_])\s*(\1\s*){2,}$/.test(line)) {
      index++;
      nodes.push(h("hr"));
    } else if (/^ {0,3}>/.test(line) && depth < depthLimit) {
      const quoted = while_((each) => /^ {0,3}>/.test(each)).map((each) => each.replace(/^ {0,3}> ?/, ""));
      nodes.push(h("blockquote", {}, blocks(quoted, top, depth + 1)));
    } else if (item(line) && depth < depthLimit) {
      nodes.push(list(while_((each) => item(each) || (/^\s{2,}\S/.test(each))), top, depth));
    } else {
      const paragraph = [line];
      index++;
      paragraph.push(...while_((each) => each.trim() && !/^(#{1,6}\s|`{3,}|~{3,}| {0,3}>)/.test(each) && !item(each)));
      nodes.push(h("p", {}, paragraph.flatMap((each, place) => [place > 0 && h("br"), inline(each.trim())])));
    }
  }
  return nodes;
}

const item = (line) => /^( {0,3})([-*+]|\d{1,9}[.)])\s+(.*)$/.exec(line);

function list(lines, top, depth) {
  const [, { length: indent }, mark] = item(lines[0]);
  const ordered = /\d/.test(mark);
  const items = [];
  for (const line of lines) {
    const match = item(line);
    // What stands two columns further in than the first item belongs to the item above it.
    if (match && match[1].length < indent + 2) items.push([match[3]]);
    else items.at(-1).push(line.replace(/^\s{2,4}/, ""));
  }
  const nodes = items.map(([first, ...rest]) => {
    const box = /^\[([ xX])\]\s+(.*)$/.exec(first);
    const check = box && h("span", { class: "markdown-box", role: "img", "aria-label": box[1] === " " ? "☐" : "☑" }, box[1] === " " ? "☐" : "☑");
    return h("li", {}, check, check && " ", inline(box ? box[2] : first), rest.length > 0 && blocks(rest, top, depth + 1));
  });
  return h(ordered ? "ol" : "ul", ordered ? { start: Number.parseInt(mark, 10) } : {}, nodes);
}

const inlineToken = /\\([\\`*_[\]()#+\-.!>~])|(`+)(.+?)\2(?!`)|\*\*(?=\S)(.+?)(?<=\S)\*\*|__(?=\S)(.+?)(?<=\S)__|\*(?=\S)(.+?)(?<=\S)\*|(?<![\p{L}\p{N}])_(?=\S)(.+?)(?<=\S)_(?![\p{L}\p{N}])|~~(?=\S)(.+?)(?<=\S)~~|\[([^\]\n]*)\]\(\s*([^\s()]+)\s*\)|<((?:https?:\/\/|mailto:)[^\s<>]+)>|(?<![\p{L}\p{N}])(https?:\/\/[^\s<>()]*[^\s<>().,;:!?"'])/gu;

function inline(text, depth = 0) {
  if (depth > depthLimit) return [text];
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(inlineToken)) {
    if (match.index > end) nodes.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    nodes.push(inlineNode(match, depth + 1));
  }
  if (end < text.length) nodes.push(text.slice(end));
  return nodes;
}

function inlineNode(match, depth) {
  const [whole, escaped, , code, strong, strong2, emphasis, emphasis2, struck, label, target, angled, bare] = match;
  if (escaped) return escaped;
  if (code !== undefined) return h("code", {}, code.trim() || code);
  if (strong ?? strong2) return h("strong", {}, inline(strong ?? strong2, depth));
  if (emphasis ?? emphasis2) return h("em", {}, inline(emphasis ?? emphasis2, depth));
  if (struck) return h("s", {}, inline(struck, depth));
  if (target) return link(target, label ? inline(label, depth) : [target]) ?? whole;
  return link(angled ?? bare, [angled ?? bare]) ?? whole;
}

/** Null for a target that is none of http, https and mailto: "javascript:" stays text. */
function link(target, content) {
  if (!/^(https?:\/\/|mailto:)/i.test(target)) return null;
  try {
    const url = new URL(target);
    if (!["http:", "https:", "mailto:"].includes(url.protocol)) return null;
    return h("a", { href: url.href, rel: "noopener noreferrer nofollow", target: "_blank" }, content);
  } catch {
    return null;
  }
}
