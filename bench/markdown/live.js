// In real time, as a chat is used: streams that push at a rate and render with their own frames.

/** `streams` of `rate` tokens a second, 4 characters each, for so many seconds; `longest`: of one rendering, in ms. */
export async function live(create, { text, streams, rate, seconds }) {
  const tasks = [];
  const watch = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
  watch.observe({ type: "longtask" });
  document.body.replaceChildren();
  let longest = 0;
  /** The renderer's own frames, timed. */
  const schedule = (render) => {
    const frame = requestAnimationFrame(() => {
      const before = performance.now();
      render();
      longest = Math.max(longest, performance.now() - before);
    });
    return () => cancelAnimationFrame(frame);
  };
  const made = Array.from({ length: streams }, () => {
    const scroller = document.createElement("div");
    scroller.className = "scroller";
    scroller.style.height = `${Math.floor(800 / streams)}px`;
    const container = document.createElement("div");
    scroller.append(container);
    document.body.append(scroller);
    new ResizeObserver(() => (scroller.scrollTop = scroller.scrollHeight)).observe(container);
    return { stream: create(container, { schedule }), at: 0 };
  });
  const began = performance.now();
  await new Promise((done) => {
    const timer = setInterval(() => {
      const passed = (performance.now() - began) / 1000;
      for (const one of made) {
        const due = Math.floor(Math.min(passed, seconds) * rate) * 4;
        for (; one.at < due; one.at += 4) {
          const at = one.at % (text.length - 4);
          one.stream.push(text.slice(at, at + 4));
        }
      }
      if (passed < seconds) return;
      clearInterval(timer);
      done();
    }, 4);
  });
  for (const { stream } of made) stream.end();
  await new Promise((done) => setTimeout(done, 200));
  watch.takeRecords().forEach((entry) => tasks.push(entry.duration));
  return { longest, tasks: tasks.length, longest_task: Math.max(0, ...tasks), tokens: made[0].at / 4 };
}
