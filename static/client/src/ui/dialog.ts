import { html, nothing, render, type TemplateResult } from "lit";
import { explain } from "../api/client.ts";
import { onLanguage, t } from "../i18n/index.ts";
import { announcers } from "./announce.ts";
import { icon } from "./icons.ts";

let opened = 0;

export interface DialogOptions {
  className?: string;
  /** Asked before the person leaves by Escape, the close button or a click beside the dialog. */
  mayClose?: () => Promise<boolean>;
}

/**
 * Opens a modal <dialog> and resolves with the value it was closed with (undefined when it was left without
 * one). The browser keeps the focus inside and gives it back afterwards.
 */
export function openDialog<T>(
  title: () => string,
  body: (close: (value?: T) => void, redraw: () => void) => TemplateResult,
  { className = "", mayClose }: DialogOptions = {},
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const box = document.createElement("dialog");
    box.className = `dialog ${className}`;
    const titleId = `dialog-${++opened}`;
    box.setAttribute("aria-labelledby", titleId);
    let value: T | undefined;
    let done = false;
    const close = (result?: T) => {
      value = result;
      done = true;
      box.close();
    };
    const leave = async () => {
      if (!mayClose || (await mayClose())) close();
    };
    const draw = () =>
      render(
        html`<header class="dialog-head">
            <h2 id=${titleId}>${title()}</h2>
            <button class="button icon quiet" type="button" aria-label=${t("dialog.close")} @click=${leave}>
              ${icon("close")}
            </button>
          </header>
          ${body(close, draw)} ${announcers("quiet")}`,
        box,
      );
    const stop = onLanguage(draw);
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      void leave();
    });
    box.addEventListener("click", (event) => {
      if (event.target === box) void leave();
    });
    box.addEventListener("close", () => {
      // Browsers also close dialogs on their own account (the back gesture of a phone).
      if (mayClose && !done) {
        box.showModal();
        void leave();
        return;
      }
      stop();
      box.remove();
      resolve(value);
    });
    draw();
    document.body.append(box);
    box.showModal();
  });
}

/** Closes what is open, as when the address changes. */
export function closeDialogs(): void {
  for (const box of document.querySelectorAll("dialog")) box.close();
}

export interface Ask {
  title: string;
  text?: string | TemplateResult;
  fields?: TemplateResult;
  submit: string;
  danger?: boolean;
}

/**
 * A question with an answer that is sent: runs `action` with the form's data, shows why it failed and lets
 * the person try again. Resolves true when it was done.
 */
export async function ask(question: Ask, action: (form: FormData) => Promise<unknown>): Promise<boolean> {
  let busy = false;
  let failed = "";
  const done = await openDialog<boolean>(
    () => question.title,
    (close, redraw) => html`<form
      class="stack"
      method="dialog"
      @submit=${async (event: SubmitEvent) => {
        event.preventDefault();
        if (busy) return;
        const form = new FormData(event.currentTarget as HTMLFormElement);
        busy = true;
        failed = "";
        redraw();
        try {
          await action(form);
          close(true);
        } catch (error) {
          failed = explain(error);
        }
        busy = false;
        redraw();
      }}
    >
      ${question.text ? html`<p>${question.text}</p>` : nothing} ${question.fields ?? nothing}
      <p class="error" role="alert">${failed}</p>
      <footer class="actions">
        <button class="button" type="button" @click=${() => close()}>${t("dialog.cancel")}</button>
        <button class="button ${question.danger ? "danger" : "primary"}" aria-busy=${busy ? "true" : "false"}>
          ${question.submit}
        </button>
      </footer>
    </form>`,
  );
  return done === true;
}
