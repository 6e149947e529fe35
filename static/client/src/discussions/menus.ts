import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import { t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { openDialog } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { renameThread } from "./dialogs.ts";
import type { Somebody } from "./people.ts";
import { mayBlock, mayEdit, mayHide, type Scene } from "./post.ts";
import type { Speaker } from "./speaker.ts";
import type { ShownPost, Thread } from "./types.ts";

type PostAction = "edit" | "hide" | "block" | "unblock";

const item = (sign: Parameters<typeof icon>[0], words: string, act: () => void): TemplateResult =>
  html`<li><button class="menu-item" @click=${act}>${icon(sign)}${words}</button></li>`;

/** What can be done with one post, as a list of plain buttons. */
export function postMenu(post: ShownPost, who: Somebody, scene: Scene): Promise<PostAction | undefined> {
  const { name } = who;
  const blocked = scene.blocked(who);
  return openDialog<PostAction>(
    () => t("post.more", { name }),
    (close) => html`<ul class="menu" role="list">
      ${mayEdit(scene, post) ? item("draft", t("post.edit"), () => close("edit")) : nothing}
      ${mayHide(scene, post) ? item("bin", t(post.author === scene.mine ? "post.hide-own" : "post.hide"), () => close("hide")) : nothing}
      ${
        mayBlock(scene, post, who)
          ? item("eye", t(blocked ? "post.unblock" : "post.block", { name }), () =>
              close(blocked ? "unblock" : "block"),
            )
          : nothing
      }
    </ul>`,
    { className: "sheet" },
  );
}

/** Pin and rename for those who may; for everybody, whether new posts are read out. */
export async function threadMenu(thread: Thread, pinned: boolean, speaker: Speaker): Promise<void> {
  const chosen = await openDialog<"pin" | "rename">(
    () => t("thread.more"),
    (close) => html`<div class="stack">
      <ul class="menu" role="list">
        ${thread.can.pin ? item("pin", t(pinned ? "thread.unpin" : "thread.pin"), () => close("pin")) : nothing}
        ${thread.can.rename ? item("draft", t("thread.rename"), () => close("rename")) : nothing}
      </ul>
      <label class="check">
        <input
          type="checkbox"
          .checked=${speaker.speaks}
          aria-describedby="speak-hint"
          @change=${(event: Event) => {
            speaker.speaks = (event.target as HTMLInputElement).checked;
          }}
        />
        <span>${t("thread.speak")}</span>
      </label>
      <p class="hint" id="speak-hint">${t("thread.speak-hint")}</p>
    </div>`,
    { className: "sheet" },
  );
  if (chosen === "rename") await renameThread(thread);
  if (chosen !== "pin") return;
  try {
    await api.patch(`/api/threads/${thread.id}`, { pinned: !pinned });
    announce(t(pinned ? "thread.unpinned-now" : "thread.pinned-now"));
  } catch (error) {
    announce(explain(error));
  }
}
