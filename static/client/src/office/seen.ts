import type { ReactiveController, ReactiveControllerHost } from "lit";
import { NEWS } from "../net.ts";

const PAUSE_MS = 20_000;

/**
 * Looks again and again while its element is there and the tab is seen: beside the spaces only some notices
 * come.
 */
export class WhileSeen implements ReactiveController {
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    host: ReactiveControllerHost,
    private readonly look: () => unknown,
    private readonly pause = PAUSE_MS,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    document.addEventListener("visibilitychange", this.again);
    addEventListener(NEWS, this.again);
    this.timer = setInterval(this.again, this.pause);
    this.look();
  }

  hostDisconnected(): void {
    document.removeEventListener("visibilitychange", this.again);
    removeEventListener(NEWS, this.again);
    clearInterval(this.timer);
  }

  private again = (): void => {
    if (document.visibilityState === "visible") this.look();
  };
}
