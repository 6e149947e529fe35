// Counts frames, long tasks and how long strokes take to be painted, until `counted()` is called.
() => {
  const frames = [];
  const tick = (now) => {
    frames.push(now);
    next = requestAnimationFrame(tick);
  };
  let next = requestAnimationFrame(tick);
  const gather = (options) => {
    const found = [];
    const take = (entries) => found.push(...entries.map(({ name, duration }) => ({ name, duration })));
    const observer = new PerformanceObserver((list) => take(list.getEntries()));
    observer.observe(options);
    return () => {
      take(observer.takeRecords());
      observer.disconnect();
      return found;
    };
  };
  const tasks = gather({ type: "longtask" });
  const events = gather({ type: "event", durationThreshold: 16 });
  globalThis.counted = () => {
    cancelAnimationFrame(next);
    return {
      frames,
      tasks: tasks().map(({ duration }) => duration),
      strokes: events()
        .filter(({ name }) => name === "keydown")
        .map(({ duration }) => duration),
    };
  };
}
