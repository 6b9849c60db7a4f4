// The task whose sheet is open, as a part of the page's address: Back closes the sheet, a reload or a link opens it.

import { parseRoute, writeRoute } from "./views.js";

const viewHere = () => writeRoute({ ...parseRoute(location.hash), task: undefined });

/** A closed sheet leaves its entry in the history: the same view as the one before, to be used by the next sheet. */
const isLeft = () => Boolean(history.state?.isOfSheet) && !parseRoute(location.hash).task;

let last;
const remember = () => (last = { view: viewHere(), isLeft: isLeft() });
remember();

addEventListener("popstate", () => {
  // Whoever goes back from there does not want to see the same again. A link to a task comes by this event, too.
  const isSame = last.view === viewHere() && !addressedTask();
  if (last.isLeft && isSame && !history.state?.isOfSheet) history.back();
  remember();
});

/** The task that the address names; undefined when it names none. */
export const addressedTask = () => parseRoute(location.hash).task;

/** Names the task in the address, or none. */
export function addressTask(task) {
  const route = parseRoute(location.hash);
  if (route.task === task) return;
  const address = writeRoute({ ...route, task });
  if (task && !route.task && !history.state?.isOfSheet) history.pushState({ isOfSheet: true }, "", address);
  else history.replaceState(history.state, "", address);
  remember();
}

/** Goes to another view of the same kind, without a new entry in the history; an open sheet stays. */
export function replaceAddress(route) {
  const { task } = parseRoute(location.hash);
  history.replaceState(task ? history.state : null, "", writeRoute({ ...route, task }));
  remember();
}
