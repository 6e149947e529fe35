import { html } from "lit";
import { api } from "../api/client.ts";
import { registerCatalogue, t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { adopt } from "../styles/adopt.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import css from "./contacts.css";

export interface Contact {
  person_id: string;
  name: string;
  school: string;
  town: string;
  country: string;
  since: number;
}

export interface Contacts {
  contacts: Contact[];
  asked_me: Contact[];
  i_asked: Contact[];
}

adopt(css);

const loaders = {
  en: () => import("./i18n/contacts/en.ts"),
  es: () => import("./i18n/contacts/es.ts"),
  pt: () => import("./i18n/contacts/pt.ts"),
};

export const words = (): Promise<void> => registerCatalogue(loaders);

/** Asks a member of a space of mine to be a contact, or says how it stands already. */
export async function askContact({ person_id, name }: { person_id: string; name: string }): Promise<void> {
  const [{ contacts, asked_me, i_asked }] = await Promise.all([
    api.get<Contacts>("/api/me/contacts"),
    words(),
  ]);
  const within = (list: Contact[]) => list.some((each) => each.person_id === person_id);
  if (within(contacts)) return announce(t("contacts.already", { name }));
  if (within(i_asked)) return announce(t("contacts.asked-already", { name }));
  const back = within(asked_me);
  const done = await ask(
    {
      title: t(back ? "contacts.accept-title" : "contacts.ask-title", { name }),
      text: t(back ? "contacts.accept-text" : "contacts.ask-text"),
      fields: html`<p><a href=${path.office(`messages/${person_id}`)}>${t("contacts.write-to", { name })}</a></p>`,
      submit: t(back ? "contacts.yes" : "contacts.ask"),
    },
    () => api.put(`/api/me/contacts/${person_id}`, {}),
  );
  if (done) announce(t(back ? "contacts.said-yes" : "contacts.asked", { name }));
}
