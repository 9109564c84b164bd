/*
 * The child process of a Node.js handler: loads it as Lambda would, and answers one call after the other.
 *
 * Answers go over a connection of their own, each behind a token, so that nothing printed passes for one.  This is no
 * sandbox against a handler that wants to lie: it runs in this very process.
 */
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { Writable } = require("node:stream");
const { finished } = require("node:stream/promises");
const { pathToFileURL } = require("node:url");

const config = JSON.parse(fs.readFileSync(0, "utf8"));
const { stringify, parse } = JSON;
const { writeSync } = fs;

const LARGEST_ANSWER = 6 * 1024 * 1024; // Lambda's own
const MOST_NOTES = 2000;
const CONNECTIONS = /^(?:Pipe|TCP|TLS)/;
const QUIET = 100; // milliseconds
const CALLBACKS_END = 24; // the first version of Node.js whose Lambda runtime refuses three parameters

const control = net.connect(config.socket);
let notes = 0;
const hosts = [];
let news = () => ({});
const say = (message, done) => control.write(`${config.token} ${stringify({ ...message, ...news() })}\n`, done);
const note = (service, operation, detail) => {
  if (service === "network") hosts.push(String(detail).slice(0, 100));
  if (++notes <= MOST_NOTES) say({ note: [service, operation, String(detail).slice(0, 200)] });
};
say({ control: true });

const variables = require("./node_variables.cjs");
variables.addPackages(config.packages);
const [missing, readsSecret] = variables.install(config);
const clock = require("./node_clock.cjs");
clock.show(config.at);
require("./node_network.cjs").install(config, note);
const marking = require("./node_marking.cjs").install(config); // before what records which files are read
const opened = require("./node_opened.cjs").install(config);
const readyToImport = require("./node_modules_stub.cjs").install(config, opened.port);
news = () => ({ ...opened.news(), reads_secret: readsSecret() });

const quit = (code) => process.reallyExit(code);
control.on("close", () => quit(0));
control.on("error", () => process.kill(process.pid, "SIGKILL")); // the handler closed it

/* What is printed is written at once, as on Lambda: it then stands in the log before the answer comes. */
for (const [stream, fd] of [[process.stdout, 1], [process.stderr, 2]]) {
  stream.write = (data, encoding, done) => {
    const bytes = typeof data === "string" ? Buffer.from(data, typeof encoding === "string" ? encoding : "utf8") : data;
    for (let at = 0; at < bytes.length; ) at += written(fd, bytes.subarray(at));
    const callback = typeof encoding === "function" ? encoding : done;
    if (callback) process.nextTick(callback);
    return true;
  };
}

/** How many bytes went out, waiting a moment where there is no room; what was closed takes everything. */
function written(fd, bytes) {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if (error?.code !== "EAGAIN") return bytes.length;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return 0;
  }
}

const later = setTimeout;
let idle = 0; // what is at work where the handler is not
let pending = null; // the call that is being answered
let next = () => {}; // takes the next call

const nameOf = (error) => (error instanceof Error || error?.name ? String(error.name) : typeof error);

function print(error) {
  process.stderr.write(`[ERROR] ${error?.stack ?? String(error)}\n`);
}

function answer(error, result) {
  const call = pending;
  if (!call) return;
  pending = null;
  control.ref();
  if (error !== undefined && error !== null) {
    print(error);
    finish({ error: nameOf(error) });
    return;
  }
  let text;
  try {
    text = stringify(result === undefined ? null : result);
    if (text === undefined) text = "null";
  } catch (failure) {
    print(failure);
    finish({ error: "Runtime.MarshalError" });
    return;
  }
  finish(Buffer.byteLength(text) > LARGEST_ANSWER ? { error: "Function.ResponseSizeTooLarge" } : { answer: text });
}

const goesOn = () => process.getActiveResourcesInfo().length > idle;
const finish = (message) => {
  say({ ...message, left: goesOn(), missing: missing(), ...marking.news() });
  later(next, 0); // what this answer set off in the same turn comes first
};

/**
 * Waits until nothing is at work any more, but not longer than told. Connections that are open, of a server and of its
 * clients, are at work for a while only: what is asked over them is answered at once.
 */
function settle(seconds) {
  const until = performance.now() + seconds * 1000;
  let seen = "";
  let since = 0;
  const look = () => {
    const now = performance.now();
    const working = process.getActiveResourcesInfo(); // this timer is at work itself, and is none of these any more
    const told = working.join();
    if (told !== seen) [seen, since] = [told, now];
    const quiet = working.every((name) => CONNECTIONS.test(name)) && now - since > QUIET;
    if (working.length > idle && !quiet && now <= until) return later(look, 5);
    say({ settled: true, ...marking.news() });
    next();
  };
  later(look, 5);
}

process.on("beforeExit", () => answer(...(pending?.kept ?? [null, null]))); // nothing is left to happen: Lambda answers null
process.on("uncaughtException", (error) => answer(error ?? new Error("thrown")));
process.on("unhandledRejection", (error) => {
  print(error);
  answer({ name: "Runtime.UnhandledPromiseRejection" });
});

/* Response streaming: what is written is the body, and what `HttpResponseStream.from` is given the head of the answer. */
const STREAMS = Symbol("streams");
globalThis.awslambda = {
  streamifyResponse: (handler) => Object.assign((...values) => handler(...values), { [STREAMS]: true }),
  HttpResponseStream: { from: (stream, head) => Object.assign(stream, { head }) },
};

/** Runs a handler that streams, and gives the whole of its answer. */
async function streamed(handler, event, context) {
  const chunks = [];
  const stream = new Writable({ write: (chunk, encoding, done) => (chunks.push(Buffer.from(chunk, encoding)), done()) });
  const ended = finished(stream);
  stream.setContentType = (type) => (stream.head = { ...stream.head, headers: { ...stream.head?.headers, "Content-Type": type } });
  await handler(event, stream, context);
  if (!stream.writableEnded) stream.end();
  await ended;
  return { statusCode: 200, ...stream.head, body: Buffer.concat(chunks).toString() };
}

function contextOf(number, alias, done) {
  const until = performance.now() + config.seconds * 1000;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: "probe",
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:eu-west-1:123456789012:function:probe${alias && `:${alias}`}`,
    memoryLimitInMB: "512",
    logGroupName: "/aws/lambda/probe",
    logStreamName: "2020/01/01/[$LATEST]00000000000000000000000000000000",
    awsRequestId: `${crypto.randomBytes(4).toString("hex")}-0000-4000-8000-${String(number).padStart(12, "0")}`,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(until - performance.now())),
    done,
    succeed: (result) => done(null, result),
    fail: (error) => done(error ?? new Error("fail")),
  };
}

function invoke(handler, { event, at, alias }, number) {
  clock.show(at);
  const call = (pending = {});
  control.unref(); // so that an empty event loop shows
  const done = (error, result) => {
    if (pending !== call || call.kept) return;
    if (error !== undefined && error !== null) answer(error);
    else if (context.callbackWaitsForEmptyEventLoop) call.kept = [null, result];
    else answer(null, result);
  };
  const settled = (error, result) => pending === call && answer(error, result);
  const context = contextOf(number, alias, settled); // ends the invocation at once: only the callback waits
  try {
    const result = handler[STREAMS] ? streamed(handler, event, context) : handler(event, context, done);
    if (typeof result?.then === "function") {
      result.then((value) => settled(null, value), (error) => settled(error ?? { name: "undefined" }));
    }
  } catch (error) {
    settled(error ?? { name: "undefined" });
  }
}

// --- loading

function placeOf(error, file) {
  const folder = path.dirname(file) + path.sep;
  const found = String(error?.stack ?? "").matchAll(/(?:file:\/\/)?(\/[^\n:()]+):(\d+)/g);
  for (const [, name, line] of found) {
    if (decodeURI(name).startsWith(folder)) return { file: decodeURI(name), line: Number(line) };
  }
  return { file, line: 1 };
}

/** What kind of failure it is, and the name of the module or file that is lacking, "" where it is none. */
function lack(error) {
  const named = /^Cannot find (?:module|package) '([^'\n]+)'/.exec(String(error?.message ?? ""));
  if (["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error?.code)) return ["module", named?.[1] ?? ""];
  if (error?.code === "ERR_PACKAGE_PATH_NOT_EXPORTED") return ["import", ""];
  if (error?.code === "ENOENT" && typeof error.path === "string") return ["file", error.path];
  const unknown = /^(?:([\w$.]+) is not (?:defined|a function|a constructor)|Cannot read properties of \w+ \(reading '([\w$]+)'\))$/;
  const name = unknown.exec(String(error?.message ?? ""));
  if (name) return ["name", name[1] ?? name[2]];
  return [error instanceof SyntaxError ? "syntax" : "raised", ""];
}

function giveUp(told) {
  say({ unable: { ...told, hosts: hosts.slice(0, 5) } }, () => quit(0));
}

const MODULE = /^\s*(?:import|export)\b/m;

/** What a file gives: required as Lambda does it, which is cheaper; imported where it is a module, or may be one. */
async function loadedFrom(file) {
  const isModule = file.endsWith(".mjs") || typeOf(file) === "module" || MODULE.test(fs.readFileSync(file, "utf8"));
  if (file.endsWith(".cjs") || !isModule) return require(file);
  readyToImport();
  return import(pathToFileURL(file).href);
}

/** The type that the nearest package.json gives files that end in .js. */
function typeOf(file) {
  for (let folder = path.dirname(file), above = ""; folder !== above; folder = path.dirname(folder)) {
    above = folder;
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")).type;
    } catch (error) {
      if (error?.code !== "ENOENT" && error?.code !== "ENOTDIR") return "module"; // whoever imports it says what is wrong
    }
  }
  return undefined;
}

async function load() {
  const file = path.join(config.folder, config.file);
  let loaded;
  try {
    loaded = await loadedFrom(file);
  } catch (error) {
    print(error);
    const [kind, lacking] = lack(error);
    return giveUp({ kind, lacking, error: nameOf(error), missing: missing(), ...placeOf(error, file) });
  }
  const members = { ...loaded?.default, ...loaded };
  const name = config.name || "handler";
  if (typeof members[name] !== "function") {
    const there = Object.keys(members).filter((key) => typeof members[key] === "function");
    return giveUp({ kind: "attribute", found: [], there: there.slice(0, 20) });
  }
  if (members[name].length >= 3 && !members[name][STREAMS] && Number(process.versions.node.split(".")[0]) >= CALLBACKS_END) {
    const refuse = () => Promise.reject(Object.assign(new Error("callback"), { name: "Runtime.CallbackHandlerDeprecated" }));
    return listen(refuse);
  }
  return listen(members[name]);
}

function listen(handler) {
  let rest = "";
  let number = 0;
  const waiting = []; // calls that were handed over before the one before them was answered
  let busy = false;
  next = () => {
    busy = waiting.length > 0;
    if (!busy) return;
    const call = parse(waiting.shift());
    if (call.settle) settle(call.settle);
    else invoke(handler, call, ++number);
  };
  control.setEncoding("utf8");
  control.on("data", (data) => {
    rest += data;
    const lines = rest.split("\n");
    rest = lines.pop();
    waiting.push(...lines);
    if (!busy) next();
  });
  idle = process.getActiveResourcesInfo().length;
  say({ ready: true, missing: missing(), ...marking.news() });
}

process.chdir(config.folder);
load();
