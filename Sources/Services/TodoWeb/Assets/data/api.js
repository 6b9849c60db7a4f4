// The HTTP API. The session is a cookie that scripts cannot read; it goes along by itself.

import { t } from "../texts.js";

/** An answer that is no success, as RFC 9457 tells it. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body?.detail || body?.title || `HTTP ${status}`);
    this.status = status;
    /** [{field, detail}] */
    this.fields = body?.errors ?? [];
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get isPassing() {
    return this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

/** No answer at all: the network or the server is away. */
export class Unreachable extends Error {}

const timeout = 20_000;

let session = new AbortController();
/** What was asked for until now is nobody's news any more, and keeps nobody waiting. */
export function endSession() {
  session.abort();
  session = new AbortController();
}

/**
 * Sends one request and gives {body, headers}; neither that nor an error when the session ends before, unless it is
 * what `endsSession`.
 * @throws Problem for an answer of 400 and above, Unreachable when there is none
 */
export async function request(method, path, { body, headers = {}, signal, limit = timeout, endsSession = false } = {}) {
  const end = endsSession ? new AbortController().signal : session.signal;
  const options = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
  options.signal = AbortSignal.any([AbortSignal.timeout(limit), end, ...(signal ? [signal] : [])]);
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response, text, failure;
  try {
    response = await fetch(path, options);
    text = await response.text();
  } catch (error) {
    failure = signal?.aborted ? error : new Unreachable(t("connection.unanswered"), { cause: error });
  }
  if (end.aborted) return new Promise(() => {});
  if (failure) throw failure;
  const answer = parse(text);
  if (!response.ok) throw new Problem(response.status, answer, Number(response.headers.get("Retry-After")) || undefined);
  return { body: answer, headers: response.headers };
}

function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** What makes sending a POST twice as good as once. */
export const idempotencyKey = () => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const get = async (path, options) => (await request("GET", path, options)).body;
const send = async (method, path, body, key = idempotencyKey(), options) => {
  const headers = method === "POST" ? { "Idempotency-Key": key } : {};
  return (await request(method, path, { body, headers, ...options })).body;
};
const at = (path, id) => `${path}/${encodeURIComponent(id)}`;

/** "?a=1&b=2" of the members that have a value. */
export function queryString(values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
}

export const api = {
  me: () => get("/v1/me"),
  updateMe: (patch) => send("PATCH", "/v1/me", patch),
  eraseMe: (password) => send("POST", "/v1/me/erase", { password }, idempotencyKey(), { endsSession: true }),
  signUp: (account) => send("POST", "/v1/accounts", account),
  signIn: (email, password) => send("POST", "/v1/sessions", { email, password, cookie: true }),
  signOut: () => send("DELETE", "/v1/sessions/current"),

  tasks: (values, signal) => get(`/v1/tasks${queryString(values)}`, { signal }),
  task: (id) => get(at("/v1/tasks", id)),
  /** Gives {results, operation}. */
  bulk: async (operations, key) => {
    const headers = { "Idempotency-Key": key };
    const answer = await request("POST", "/v1/tasks/bulk", { body: { mode: "atomic", operations }, headers });
    return { results: answer.body.results, operation: answer.headers.get("Todo-Operation") };
  },
  undo: (operation, key) => send("POST", "/v1/undo", { operation }, key),

  projects: () => everyPage("/v1/projects"),
  createProject: (project) => send("POST", "/v1/projects", project),
  updateProject: (id, patch) => send("PATCH", at("/v1/projects", id), patch),
  deleteProject: (id) => send("DELETE", at("/v1/projects", id)),
  deletedProjects: async () => (await get("/v1/projects?deleted=true")).items,
  restoreProject: (id) => send("POST", `${at("/v1/projects", id)}/restore`),
  members: async (id) => (await get(`${at("/v1/projects", id)}/members`)).items,
  invite: (id, email, role) => send("POST", `${at("/v1/projects", id)}/members`, { email, role }),
  updateMember: (id, user, role) => send("PATCH", at(`${at("/v1/projects", id)}/members`, user), { role }),
  removeMember: (id, user) => send("DELETE", at(`${at("/v1/projects", id)}/members`, user)),

  tags: async () => (await get("/v1/tags")).items,
  filters: () => everyPage("/v1/filters"),
  createFilter: (filter) => send("POST", "/v1/filters", filter),
  updateFilter: (id, patch) => send("PATCH", at("/v1/filters", id), patch),
  deleteFilter: (id) => send("DELETE", at("/v1/filters", id)),

  tokens: async () => (await get("/v1/tokens")).items,
  createToken: (token) => send("POST", "/v1/tokens", token),
  deleteToken: (id) => send("DELETE", at("/v1/tokens", id)),

  /** Gives {text, occurrences, ended}. */
  previewRecurrence: async (body, signal) => (await request("POST", "/v1/recurrence/preview", { body, signal })).body,
  reminders: async (task) => (await get(`${at("/v1/tasks", task)}/reminders`)).items,
  createReminder: (task, reminder) => send("POST", `${at("/v1/tasks", task)}/reminders`, reminder),
  deleteReminder: (id) => send("DELETE", at("/v1/reminders", id)),
  plannedReminders: async (values) => (await get(`/v1/reminders${queryString(values)}`)).items,
  snooze: (id, snooze) => send("POST", `${at("/v1/reminders", id)}/snooze`, snooze),
  acknowledge: (id) => send("POST", `${at("/v1/reminders", id)}/acknowledge`),
  channels: async () => (await get("/v1/channels")).items,
  createChannel: (channel) => send("POST", "/v1/channels", channel),
  updateChannel: (id, patch) => send("PATCH", at("/v1/channels", id), patch),
  deleteChannel: (id) => send("DELETE", at("/v1/channels", id)),
  testChannel: (id) => send("POST", `${at("/v1/channels", id)}/test`),
  rotateSecret: (id) => send("POST", `${at("/v1/channels", id)}/secret`),
  deliveries: (values) => get(`/v1/deliveries${queryString(values)}`),
  replayDelivery: (id) => send("POST", `${at("/v1/deliveries", id)}/replay`),

  audit: (values) => get(`/v1/audit${queryString(values)}`),
  changes: (after, { wait = 0, signal } = {}) =>
    get(`/v1/changes${queryString({ after, wait: wait || undefined })}`, { signal, limit: timeout + wait * 1000 }),
};

async function everyPage(path) {
  const items = [];
  let cursor;
  do {
    const page = await get(`${path}${queryString({ cursor })}`);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor);
  return items;
}
