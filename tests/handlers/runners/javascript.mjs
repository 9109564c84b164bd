// Runs handlers in this process, each job with its modules loaded anew, and prints what they did.
// A line of standard input is a job, a line of output its result. Calls to Slack and AWS are recorded, not made.

import fs from "node:fs";
import https from "node:https";
import Module, { createRequire, register } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const SDK = fileURLToPath(new URL("./sdk.cjs", import.meta.url));
const sdk = require(SDK);
register("./hooks.mjs", import.meta.url);

// --- what handlers require: the recording SDK in place of the real one

const resolve = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  return name.startsWith("@aws-sdk/") ? SDK : resolve.call(this, name, ...rest);
};

// --- the clock

const RealDate = Date;
let now = 0; // milliseconds; stands still within a request
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length) super(...given);
    else super(now);
  }
  static now() {
    return now;
  }
};

// --- what is recorded

const text = (data) => (data === undefined || data === null ? "" : String(data));

globalThis.fetch = async (url, options = {}) => {
  sdk.effects.push({ url: String(url), data: text(options.body) });
  return { ok: true, status: 200, json: async () => ({ ok: true }), text: async () => "ok" };
};

https.request = (...given) => {
  const answer = given.find((part) => typeof part === "function");
  const [target] = given;
  const where = typeof target === "string" || target instanceof URL ? String(target) : `${target.hostname}${target.path}`;
  const sent = { url: where, data: "" };
  const listeners = {};
  const response = {
    statusCode: 200,
    setEncoding() {},
    resume() {},
    on(name, listener) {
      if (name === "data") listener('{"ok":true}');
      if (name === "end") setImmediate(listener);
      return this;
    },
  };
  return {
    on(name, listener) {
      listeners[name] = listener;
      return this;
    },
    write(data) {
      sent.data += text(data);
    },
    end(data) {
      sent.data += text(data);
      sdk.effects.push(sent);
      if (answer) answer(response);
      else listeners.response?.(response);
    },
  };
};

for (const name of ["log", "info", "warn", "error", "debug"]) console[name] = () => {};
console.assert = () => {};

// --- running

const context = {
  awsRequestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
  functionName: "slack-handler",
  functionVersion: "$LATEST",
  invokedFunctionArn: "arn:aws:lambda:eu-central-1:123456789012:function:slack-handler",
  getRemainingTimeInMillis: () => 3000,
};

let jobs = 0;

async function load(job) {
  const file = path.join(job.folder, job.file);
  if (file.endsWith(".mjs")) return import(`${pathToFileURL(file)}?job=${jobs}`);
  for (const name of Object.keys(require.cache)) if (name.startsWith(job.folder + path.sep)) delete require.cache[name];
  return require(file);
}

function invoke(handler, event) {
  if (handler.length < 3) return handler(event, context);
  return new Promise((done, failed) => {
    const result = handler(event, context, (error, answer) => (error ? failed(error) : done(answer)));
    if (typeof result?.then === "function") result.then(done, failed);
  });
}

async function run(job) {
  const results = [];
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, job.env);
  Object.assign(sdk.shared, { secrets: job.secrets, tables: job.tables });
  now = job.now * 1000;
  jobs += 1;
  const loading = load(job);
  await Promise.allSettled([loading]);
  for (const request of job.requests) {
    sdk.effects.length = 0;
    sdk.shared.secrets = request.secrets;
    now = request.now * 1000;
    let ended;
    try {
      ended = await invoke((await loading)[job.handler], request.event);
    } catch (error) {
      ended = { error: String(error) };
    }
    await new Promise(setImmediate);
    results.push({ effects: structuredClone(sdk.effects), ended });
  }
  return results;
}

process.on("unhandledRejection", () => {}); // what a handler does not wait for fails unseen

for (const line of fs.readFileSync(0, "utf8").split("\n")) {
  if (line) process.stdout.write(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
}
