// For renderers that are given the whole text each time: it grows here, and is rendered once a frame or when flushed.

/** `render(text, ended)` may give a promise; so does `flush` then. */
export function whole(render) {
  let text = "";
  let shown = "";
  let frame = 0;
  const show = (ended = false) => {
    cancelAnimationFrame(frame);
    frame = 0;
    if (text === shown && !ended) return undefined;
    shown = text;
    return render(text, ended);
  };
  return {
    push(more) {
      text += more;
      frame ||= requestAnimationFrame(() => show());
    },
    flush: () => show(),
    end: () => show(true),
  };
}

/** React does some of the work later. */
export const settled = () =>
  new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));
