/**
 * order-bot in Node.js: the checks, answers and variables of ../slack-app/app.py, for nodejs22.x and later.
 *
 * Every refusal gets the same answer; the reason stands in the log.  No secret, signature, body or address is logged.
 * Slack sends a slash command once, so a second one is a replay; events, which Slack repeats, are refused.
 * Nothing but Node.js and the AWS SDK that Lambda brings along is used, so this file alone is the package.
 */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const LARGEST_BODY = 100_000; // characters; a slash command has a few hundred
const MOST_FIELDS = 100;
const WINDOW = 300; // seconds that a request may be older or newer than this clock
const REMEMBERED = 900; // seconds: longer than the window on both its sides
const SECRET_KEPT = 300; // seconds until the signing secret is read again
const SECRET_RECHECKED = 60; // the same after a signature that did not fit, so that wrong ones cannot cause a read each
const PREVIOUS_COUNTS = 3600; // seconds for which the secret before the current one is accepted

const TIMESTAMP = /^[0-9]{1,12}$/;
const SIGNATURE = /^v0=[0-9a-f]{64}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const RESPONSE_URL = /^https:\/\/hooks\.slack\.com\/commands\/[A-Za-z0-9/_-]{1,200}$/;
const CHALLENGE = /^[A-Za-z0-9._-]{1,200}$/;

// one service that hangs still leaves time to answer within Slack's three seconds; the defaults wait for ever
const PATIENCE = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 500, requestTimeout: 900, throwOnRequestTimeout: true },
};
const SECRETS_MANAGER = new SecretsManagerClient(PATIENCE);
const DYNAMODB = new DynamoDBClient(PATIENCE);
const SQS = new SQSClient(PATIENCE);

/** The request is refused; the message names the check that failed, for the log only. */
class RefusedError extends Error {}

/** What Slack gets: an acknowledgement, or an answer that tells nothing. */
export async function handler(event, context) {
  let answer = { statusCode: 401, body: "" };
  try {
    const now = Date.now() / 1000;
    const { signed, form } = await verified(event, now);
    if (form.ssl_check === "1") return { statusCode: 200, body: "" }; // Slack tests the certificate
    const asked = challenge(event);
    if (asked) return { statusCode: 200, headers: { "Content-Type": "text/plain" }, body: asked };
    authorise(form);
    await refuseReplay(signed, now);
    answer = message(`That did not work. Reference: ${context?.awsRequestId ?? "none"}`);
    await enqueue(signed, form);
    console.info({ message: "queued", command: form.command, team: form.team_id, user: form.user_id });
    answer = message("Working on it.");
  } catch (error) {
    if (error instanceof RefusedError) console.warn({ message: "refused", reason: error.message });
    else report(error); // whatever fails, the caller learns nothing and the alarm rings
  }
  return answer;
}

/** An answer that Slack shows to the caller alone. */
function message(text) {
  const body = JSON.stringify({ response_type: "ephemeral", text });
  return { statusCode: 200, headers: { "Content-Type": "application/json" }, body };
}

/** Logs what failed and where, but no message: it could quote the request. */
function report(error) {
  const trace = String(error?.stack ?? "").replace(String(error?.message), "");
  const steps = [...trace.matchAll(/([\w.-]+:\d+):\d+\)?$/gm)].map((found) => found[1]);
  console.error({ message: "failed", error: error?.name ?? typeof error, steps });
}

// --- did Slack send it?

/** What Slack signed, and the form in it.  Throws RefusedError. */
async function verified(event, now) {
  const body = rawBody(event);
  const timestamp = header(event, "x-slack-request-timestamp");
  const signature = header(event, "x-slack-signature");
  if (!TIMESTAMP.test(timestamp) || Math.abs(now - Number(timestamp)) > WINDOW) throw new RefusedError("timestamp");
  const signed = Buffer.concat([Buffer.from(`v0:${timestamp}:`), body]);
  if (!SIGNATURE.test(signature) || !(await fits(signature, signed, now))) throw new RefusedError("signature");
  return { signed, form: parsed(body) };
}

/** What Slack wants repeated before it takes this address (`url_verification`); "" where it asks for nothing. */
function challenge(event) {
  let asked;
  try {
    asked = JSON.parse(rawBody(event).toString());
  } catch {
    return "";
  }
  const text = asked?.type === "url_verification" ? asked.challenge : "";
  return typeof text === "string" && CHALLENGE.test(text) ? text : "";
}

/** The bytes that were sent.  Throws RefusedError. */
function rawBody(event) {
  const body = event.body || "";
  if (typeof body !== "string" || body.length > LARGEST_BODY || !body.isWellFormed()) throw new RefusedError("body");
  if (!event.isBase64Encoded) return Buffer.from(body);
  if (!BASE64.test(body)) throw new RefusedError("body");
  return Buffer.from(body, "base64");
}

/** The value of a header that was sent exactly once, whatever the case of its name.  Throws RefusedError. */
function header(event, name) {
  const named = ([key]) => key.toLowerCase() === name;
  const once = Object.entries(event.headers ?? {}).filter(named).map(([, value]) => value);
  const each = Object.entries(event.multiValueHeaders ?? {}).filter(named).flatMap(([, values]) => values ?? []);
  const found = each.length > once.length ? each : once;
  if (found.length !== 1 || typeof found[0] !== "string") throw new RefusedError(name);
  return found[0];
}

/** The fields of a form, the last of each name.  Throws RefusedError. */
function parsed(body) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    const parts = text.split("&");
    if (parts.length > MOST_FIELDS) throw new RangeError();
    return Object.fromEntries(parts.filter(Boolean).map(field));
  } catch {
    throw new RefusedError("form");
  }
}

/** Name and value of a field.  Throws URIError where they are no UTF-8. */
function field(part) {
  const end = part.indexOf("=");
  const ends = end < 0 ? part.length : end;
  return [part.slice(0, ends), part.slice(ends + 1)].map(decoded);
}

/** A part of a field; a percent sign that begins no byte stands for itself, as in Python. */
function decoded(text) {
  return decodeURIComponent(text.replaceAll("+", " ").replace(/%(?![0-9A-Fa-f]{2})/g, "%25"));
}

/** Whether one of the secrets that count gives this signature; they are read again before the answer is no. */
async function fits(signature, signed, now) {
  for (const kept of [SECRET_KEPT, SECRET_RECHECKED]) {
    for (const secret of await SIGNING_SECRET.values(now, kept)) {
      const expected = `v0=${createHmac("sha256", secret).update(signed).digest("hex")}`;
      if (timingSafeEqual(Buffer.from(expected), Buffer.from(signature))) return true; // SIGNATURE: of one length
    }
  }
  return false;
}

/** Slack's signing secret: the current value, and for an hour after a change the one before it. */
class SigningSecret {
  #values = [];
  #readAt = -Infinity;

  /** The values that count, read within the last `kept` seconds; none where nobody has put one in. */
  async values(now, kept) {
    if (now - this.#readAt >= kept) {
      this.#values = (await this.#read(now)).map((value) => value.trim()).filter(Boolean);
      this.#readAt = now;
      if (!this.#values.length) console.error({ message: "no signing secret" });
    }
    return this.#values;
  }

  async #read(now) {
    const current = await this.#version("AWSCURRENT");
    const made = current.CreatedDate;
    if (!made || now - made.getTime() / 1000 >= PREVIOUS_COUNTS) return [current.SecretString ?? ""];
    const previous = await this.#version("AWSPREVIOUS");
    return [current.SecretString ?? "", previous.SecretString ?? ""];
  }

  async #version(stage) {
    const wanted = { SecretId: variable("SIGNING_SECRET_ARN"), VersionStage: stage };
    try {
      return await SECRETS_MANAGER.send(new GetSecretValueCommand(wanted));
    } catch (error) {
      if (error?.name !== "ResourceNotFoundException") throw error;
      return {};
    }
  }
}

const SIGNING_SECRET = new SigningSecret();

/** Notes that this request was seen.  Throws RefusedError where it was seen before. */
async function refuseReplay(signed, now) {
  const second = Math.floor(now);
  const note = new PutItemCommand({
    TableName: variable("REPLAY_TABLE"),
    Item: { request_key: { S: requestKey(signed) }, expires_at: { N: String(second + REMEMBERED) } },
    ConditionExpression: "attribute_not_exists(request_key) OR expires_at < :now",
    ExpressionAttributeValues: { ":now": { N: String(second) } },
  });
  try {
    await DYNAMODB.send(note);
  } catch (error) {
    if (error?.name !== "ConditionalCheckFailedException") throw error;
    throw new RefusedError("replay");
  }
}

/** The name of a request: a hash, from which nobody learns what it held. */
function requestKey(signed) {
  return createHash("sha256").update(signed).digest("hex");
}

// --- may this caller do it, and what happens then

/** Throws RefusedError unless app, workspace, user and command are on the lists and the answer goes to Slack. */
function authorise(form) {
  // the secret belongs to one app: its id may be left out; an id's first letter tells its kind: one list will do
  const ids = [form.team_id ?? "", form.user_id ?? ""];
  if (form.api_app_id !== undefined) ids.push(form.api_app_id);
  const allowed = listed("ALLOWED_IDS");
  if (!ids.every((id) => allowed.has(id))) throw new RefusedError("caller");
  if (!listed("ALLOWED_COMMANDS").has(form.command)) throw new RefusedError("command");
  if (!RESPONSE_URL.test(form.response_url ?? "")) throw new RefusedError("response_url");
}

/** The items of a list in an environment variable; none where it is empty or missing. */
function listed(name) {
  const items = (process.env[name] ?? "").split(",").map((item) => item.trim());
  return new Set(items.filter(Boolean));
}

/** The value of an environment variable.  Throws where it is empty or missing. */
function variable(name) {
  const value = process.env[name];
  if (!value) throw new ReferenceError(name);
  return value;
}

/** Hands over what the worker needs, and no token. */
async function enqueue(signed, form) {
  const { text = "", user_id = "", response_url = "" } = form;
  const job = JSON.stringify({ request: requestKey(signed), text, user_id, response_url });
  await SQS.send(new SendMessageCommand({ QueueUrl: variable("WORK_QUEUE_URL"), MessageBody: job }));
}
