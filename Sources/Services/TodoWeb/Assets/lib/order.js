// Positions in a list that people order by hand: the same fractions in base 62 as the server's. They let a moved task
// be shown in its place before the server has answered.

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** A position above `low` and below `high`; null stands for the end of the list. */
export function between(low, high) {
  let result = "";
  let bound = high;
  for (let place = 0; ; place++) {
    const lowDigit = low && place < low.length ? digits.indexOf(low[place]) : 0;
    const highDigit = bound === null ? digits.length : place < bound.length ? digits.indexOf(bound[place]) : 0;
    const middle = Math.floor((lowDigit + highDigit) / 2);
    if (middle > lowDigit) return result + digits[middle];
    result += digits[lowDigit];
    if (highDigit > lowDigit) bound = null;
    if (result.length > 200) return result + "V";
  }
}

/** Of what is added now: behind everything that was added before. */
export function endPosition(milliseconds = Date.now()) {
  let rest = milliseconds * 1000;
  let text = "";
  for (let place = 0; place < 10; place++) {
    text = digits[rest % 62] + text;
    rest = Math.floor(rest / 62);
  }
  return text + "1";
}

/** The order of bytes, which is that of the server. (localeCompare is not.) */
export const compareText = (left, right) => (left < right ? -1 : left > right ? 1 : 0);
