import type { ReactiveController, ReactiveControllerHost } from "lit";
import { onLanguage } from "./index.ts";

/** Draws its element again whenever the words change: `new Localized(this)` in the constructor. */
export class Localized implements ReactiveController {
  private stop?: () => void;

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    this.stop = onLanguage(() => this.host.requestUpdate());
  }

  hostDisconnected(): void {
    this.stop?.();
  }
}
