/** Where a card is let go: the key of the column, and the place among its other cards. */
export interface Drop {
  column: string;
  index: number;
}

/** So far a pointer moves before it means to drag. */
const THRESHOLD = 6;
/** So near the edge of what scrolls it begins to scroll; so far in one frame at most. */
const EDGE = 72;
const FASTEST = 16;

const cards = (list: Element, dragged: Element): HTMLElement[] =>
  [...list.querySelectorAll<HTMLElement>(".bd-card")].filter((each) => each !== dragged);

/**
 * Drags a card by a pointer that is down on it. `done` has null if it was cancelled, and is not called if the
 * pointer was only a tap. Gives what cancels it.
 */
export function drag(
  start: PointerEvent,
  card: HTMLElement,
  board: HTMLElement,
  done: (drop: Drop | null) => void,
): () => void {
  let [x, y] = [start.clientX, start.clientY];
  let ghost: HTMLElement | undefined;
  let frame = 0;
  let drop: Drop | null = null;
  const line = document.createElement("div");
  line.className = "bd-line";
  const scroller = board.querySelector<HTMLElement>(".bd-columns") ?? board;
  const box = card.getBoundingClientRect();

  const lift = () => {
    ghost = card.cloneNode(true) as HTMLElement;
    ghost.classList.add("bd-ghost");
    ghost.setAttribute("aria-hidden", "true");
    ghost.removeAttribute("tabindex");
    ghost.style.width = `${box.width}px`;
    ghost.inert = true;
    board.append(ghost, line);
    board.classList.add("dragging");
    card.classList.add("lifted");
    frame = requestAnimationFrame(follow);
  };

  const follow = () => {
    if (!ghost) return;
    if (!board.isConnected || !card.isConnected) return end(null);
    ghost.style.translate = `${box.left + x - start.clientX}px ${box.top + y - start.clientY}px`;
    scrollNear();
    aim();
    frame = requestAnimationFrame(follow);
  };

  const scrollNear = () => {
    const speed = (near: number) => Math.ceil(Math.max(0, Math.min(1, near / EDGE)) * FASTEST);
    scrollBy({ top: speed(y - (innerHeight - EDGE)) - speed(EDGE * 1.5 - y), behavior: "instant" });
    const { left, right } = scroller.getBoundingClientRect();
    scroller.scrollLeft +=
      speed(x - (Math.min(right, innerWidth) - EDGE)) - speed(Math.max(left, 0) + EDGE - x);
  };

  const aim = () => {
    let nearest: HTMLElement | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const column of board.querySelectorAll<HTMLElement>("[data-takes]")) {
      const { left, right, top, bottom } = column.getBoundingClientRect();
      const far = Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));
      if (far < least) [nearest, least] = [column, far];
    }
    const list = nearest?.querySelector("ul");
    if (!nearest || !list) return;
    const others = cards(list, card);
    const tops = others.map((each) => each.getBoundingClientRect());
    const index = tops.filter(({ top, height }) => top + height / 2 < y).length;
    drop = { column: nearest.dataset.column ?? "", index };
    const { left, width, top } = list.getBoundingClientRect();
    const next = tops[index];
    const last = tops[index - 1];
    const at =
      next && last ? (next.top + last.bottom) / 2 : next ? next.top - 5 : last ? last.bottom + 5 : top;
    line.style.width = `${width}px`;
    line.style.translate = `${left}px ${at - 2}px`;
  };

  const end = (result: Drop | null) => {
    cancelAnimationFrame(frame);
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", up);
    removeEventListener("pointercancel", cancel);
    removeEventListener("blur", cancel);
    removeEventListener("keydown", key, true);
    if (!ghost) return;
    ghost.remove();
    ghost = undefined;
    line.remove();
    board.classList.remove("dragging");
    card.classList.remove("lifted");
    // The click that ends it means nothing.
    addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, true));
    done(result);
  };
  const swallow = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  const move = (event: PointerEvent) => {
    if (event.pointerId !== start.pointerId) return;
    [x, y] = [event.clientX, event.clientY];
    if (!ghost && Math.hypot(x - start.clientX, y - start.clientY) > THRESHOLD) lift();
  };
  const up = (event: PointerEvent) => {
    if (event.pointerId !== start.pointerId) return;
    [x, y] = [event.clientX, event.clientY];
    if (ghost) aim();
    end(drop);
  };
  const cancel = () => end(null);
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !ghost) return;
    swallow(event);
    cancel();
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", up);
  addEventListener("pointercancel", cancel);
  addEventListener("blur", cancel);
  addEventListener("keydown", key, true);
  return cancel;
}
