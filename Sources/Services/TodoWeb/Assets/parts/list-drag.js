// Drag to order, by mouse, pen or finger. (By keyboard: Alt and the arrow keys; without either: the menu of the task.)

import * as actions from "../actions.js";
import { store } from "../data/store.js";

/** Pixels that a press may wander before it is a drag. */
const threshold = 4;
/** Pixels from the edge of the list from which on it scrolls, and pixels of a step. */
const edge = 48;
const scrollStep = 12;

export function startDrag(list, event, id) {
  if (event.button !== 0) return;
  const handle = event.currentTarget;
  const scroller = list.closest(".scroller");
  const startY = event.clientY;
  let lastY = startY;
  let target = null;
  let isDragging = false;
  let frame = 0;
  handle.setPointerCapture(event.pointerId);
  const over = new AbortController();
  const listen = (name, work) => handle.addEventListener(name, work, { signal: over.signal });

  const show = () => {
    // A new task gets the server's name for it while it is dragged.
    target = dropTarget(list, store.resolve(id), lastY);
    list.showDrop(target?.index ?? null, target?.depth);
  };
  const scroll = () => {
    const box = scroller.getBoundingClientRect();
    const direction = lastY < box.top + edge ? -1 : lastY > box.bottom - edge ? 1 : 0;
    if (direction) {
      scroller.scrollTop += direction * scrollStep;
      show();
    }
    frame = requestAnimationFrame(scroll);
  };
  const end = () => {
    over.abort();
    cancelAnimationFrame(frame);
    list.classList.remove("is-dragging");
    handle.closest(".row")?.classList.remove("is-dragged");
    list.showDrop(null);
  };
  listen("pointermove", (move) => {
    lastY = move.clientY;
    if (!isDragging && Math.abs(lastY - startY) < threshold) return;
    if (!isDragging) {
      isDragging = true;
      list.activate(id, { focus: false });
      list.classList.add("is-dragging");
      handle.closest(".row")?.classList.add("is-dragged");
      frame = requestAnimationFrame(scroll);
    }
    show();
  });
  listen("pointerup", () => {
    end();
    if (!isDragging) return;
    // The click that follows at once is part of the drag.
    const click = new AbortController();
    handle.addEventListener("click", (event) => event.stopImmediatePropagation(), { capture: true, signal: click.signal });
    setTimeout(() => click.abort());
    const task = store.task(id);
    if (target && task) {
      actions.place(task, target.move);
      list.view.refresh();
      list.activate(id);
    }
  });
  listen("pointercancel", end);
  listen("keydown", (key) => {
    if (key.key !== "Escape") return;
    key.stopPropagation();
    target = null;
    end();
  });
}

/** Where a drop at a height would put the task: {index, depth, move}, or null where it would change nothing. */
function dropTarget(list, id, clientY) {
  const { rows, rowHeight } = list;
  const top = list.getBoundingClientRect().top;
  const index = Math.max(0, Math.min(rows.length, Math.round((clientY - top) / rowHeight)));
  const [from, end] = subtree(rows, id);
  if (from < 0 || (index >= from && index <= end)) return null;
  const above = rows[index - 1];
  const below = rows[index];
  if (!above) return { index, depth: 0, move: { parent: below.task.parent, before: below.id } };
  // Between a task and its first subtask is before that subtask; else it follows the task above, on its level.
  if (below && below.depth > above.depth) return { index, depth: below.depth, move: { parent: above.id, before: below.id } };
  return { index, depth: above.depth, move: { parent: above.task.parent ?? null, after: above.id } };
}

/** First row of a task, and the one behind its last subtask; -1 first where it has left the list. */
function subtree(rows, id) {
  const from = rows.findIndex((row) => row.id === id);
  let end = from + 1;
  while (from >= 0 && end < rows.length && rows[end].depth > rows[from].depth) end++;
  return [from, end];
}
