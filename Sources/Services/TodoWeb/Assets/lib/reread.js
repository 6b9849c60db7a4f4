// Lists that a person changes piece by piece, and that are read again after each change.

/**
 * @param read asks for the list, `draw` shows it; what goes wrong is told in `message`, in `words(error)`
 * @returns a function that reads the list, after the change that it is given, if any
 */
export function rereading({ read, draw, message, words = (error) => error.message }) {
  let [asked, changing] = [0, 0];
  return async (change) => {
    message.replaceChildren();
    changing += 1;
    try {
      await change?.();
    } catch (error) {
      message.replaceChildren(words(error));
    }
    changing -= 1;
    // Also when that was refused: what the person chose does not hold.
    const now = ++asked;
    // Answers overtake each other, and may be older than a change that is under way and reads again by itself.
    const isNewest = () => now === asked && changing === 0;
    try {
      const items = await read();
      if (isNewest()) draw(items);
    } catch (error) {
      if (isNewest()) message.replaceChildren(words(error));
    }
  };
}
