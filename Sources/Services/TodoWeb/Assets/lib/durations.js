// Spans of minutes as people say them.

import { t } from "../texts.js";

export const units = { minute: 1, hour: 60, day: 1440, week: 10_080 };

/** {count, unit} in the largest unit that needs no fraction. */
export function splitMinutes(minutes) {
  const unit = Object.keys(units).reverse().find((each) => minutes % units[each] === 0 && minutes >= units[each]) ?? "minute";
  return { count: minutes / units[unit], unit };
}

/** "90 minutes", "2 hours". */
export function durationName(minutes) {
  const { count, unit } = splitMinutes(minutes);
  return t(`duration.${unit}`, { n: count });
}
