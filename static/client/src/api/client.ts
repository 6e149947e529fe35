import { has, t } from "../i18n/index.ts";
import { forget, known, remember } from "./known.ts";

/** The server refused, and says why. `code` is for programs, `message` is English for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

/** No answer: the network or the server is away. */
export class Unreachable extends Error {}

let lost: () => void = () => {};

/** Calls back when the server no longer knows our log-in. */
export function onSessionLost(listener: () => void): void {
  lost = listener;
}

async function send<T>(method: string, url: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      credentials: "same-origin",
      headers: body === undefined ? { Accept: "application/json" } : JSON_HEADERS,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Unreachable("The server cannot be reached.");
  }
  if (response.ok) return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
  if (response.status === 502 || response.status === 504) throw new Unreachable("The server is away.");
  const answer = (await response.json().catch(() => ({}))) as {
    error?: { code?: string; message?: string; details?: Record<string, unknown> };
  };
  const error = new ApiError(
    response.status,
    answer.error?.code ?? "unknown",
    answer.error?.message ?? "",
    answer.error?.details,
  );
  if (response.status === 401 && method !== "POST") lost();
  throw error;
}

const JSON_HEADERS = { Accept: "application/json", "Content-Type": "application/json" };

export const api = {
  /** The answer of the server. */
  get: <T>(url: string) => send<T>("GET", url),
  /** The answer of the server, or without a network the last one that this device knows. */
  async getKnown<T>(url: string): Promise<T> {
    try {
      const value = await send<T>("GET", url);
      void remember(url, value);
      return value;
    } catch (error) {
      if (error instanceof Unreachable) {
        const last = await known<T>(url);
        if (last !== undefined) return last;
      } else if (error instanceof ApiError && error.status < 500) {
        void forget(url);
      }
      throw error;
    }
  },
  post: <T>(url: string, body: unknown = {}) => send<T>("POST", url, body),
  patch: <T>(url: string, body: unknown) => send<T>("PATCH", url, body),
  put: <T>(url: string, body: unknown) => send<T>("PUT", url, body),
  delete: (url: string) => send<void>("DELETE", url),
};

/** What to tell a person about an error, in their language. */
export function explain(error: unknown): string {
  if (error instanceof Unreachable) return t("error.unreachable");
  if (error instanceof ApiError) {
    const wait = Number(error.details.retry_after ?? 0);
    if (error.code === "too-many-tries" && wait > 0) {
      return wait < 90
        ? t("error.wait-seconds", { count: Math.ceil(wait) })
        : t("error.wait-minutes", { count: Math.ceil(wait / 60) });
    }
    if (has(`error.${error.code}`)) return t(`error.${error.code}`);
    const why = `why.${error.details.reason}`;
    if (has(why)) return t(why);
    if (error.status === 403) return t("error.forbidden");
    if (error.status === 404) return t("error.not-found");
    if (error.message) return t("error.said", { message: error.message });
  }
  return t("error.unknown");
}
