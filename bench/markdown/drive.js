// Feeds a renderer in the page, frame by frame, and looks on: longest flush, frames, nodes.

function place(follow) {
  const scroller = document.createElement("div");
  scroller.className = "scroller";
  const container = document.createElement("div");
  scroller.append(container);
  document.body.replaceChildren(scroller);
  // As a chat follows its end: after layout, so that no layout is forced in between.
  const watch = new ResizeObserver(() => (scroller.scrollTop = scroller.scrollHeight));
  if (follow) watch.observe(container);
  return { container, stop: () => watch.disconnect() };
}

/** Some renderers do the rest in the next frames. */
function settle(frames, then) {
  if (frames) requestAnimationFrame(() => settle(frames - 1, then));
  else setTimeout(then);
}

/**
 * `chunk` characters a push, `pushes` of them a frame, with a `flush` after each or left to the renderer itself.
 * Stops after `budget` ms: then `done` is less than `total`.
 */
export function feed(create, { text, chunk, pushes, flush, budget, follow }) {
  const { container, stop } = place(follow);
  const stream = create(container);
  const began = performance.now();
  let longest = 0;
  let promised = false;
  let spent = 0;
  let frames = 0;
  let at = 0;
  return new Promise((resolve, reject) => {
    const finish = () => {
      stop();
      resolve({ frames, longest, spent, promised, done: Math.min(at, text.length), total: text.length });
    };
    // All work is done in this callback itself: the browser counts no microtask as script.
    const step = () => {
      try {
        if (at >= text.length || performance.now() - began > budget) {
          if (at >= text.length) stream.end();
          settle(3, finish);
          return;
        }
        frames += 1;
        for (let n = 0; n < pushes && at < text.length; n += 1, at += chunk) {
          const before = performance.now();
          stream.push(text.slice(at, at + chunk));
          const flushed = flush ? stream.flush() : undefined;
          const note = () => {
            const took = performance.now() - before;
            spent += took;
            longest = Math.max(longest, took);
          };
          // Who renders in promises is done within this task all the same.
          promised ||= Boolean(flushed);
          if (flushed) flushed.then(note, reject);
          else note();
        }
        requestAnimationFrame(step);
      } catch (error) {
        reject(error);
      }
    };
    requestAnimationFrame(step);
  });
}
