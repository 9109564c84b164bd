/*
 * The network that a Node.js handler sees: a few hosts, answered by the caller over its socket; all else is refused.
 * Programs are not started either: a hostile request may be trying to run a command, and this is somebody's machine.
 */
"use strict";

const child = require("node:child_process");
const dgram = require("node:dgram");
const dns = require("node:dns");
const net = require("node:net");
const path = require("node:path");
const tls = require("node:tls");
const workers = require("node:worker_threads");
const { syncBuiltinESMExports } = require("node:module");

exports.install = (config, note) => {
  const allowed = new RegExp(`^(?:${config.hosts})$`);
  installConnect(config, note, allowed);
  installTls();
  installResolver();
  installPrograms(note);
  dgram.Socket.prototype.send = function () {
    note("network", "CONNECT", "udp");
    throw refused();
  };
  syncBuiltinESMExports();
};

const refused = () => Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect", errno: -111 });

/* Connections over TCP go to the caller's socket, with a line before them that says whom they were meant for. */
function installConnect(config, note, allowed) {
  const real = net.Socket.prototype.connect;
  const own = ownSockets();
  net.Socket.prototype.connect = function (...values) {
    const first = Array.isArray(values[0]) ? values[0] : values; // net.connect passes its arguments on as a list
    const [options, listener] = normal(first);
    if (own.has(options.path)) return real.apply(this, values);
    if (options.path === config.socket) return real.call(this, { path: config.socket }, listener);
    const host = String(options.host ?? options.hostname ?? "localhost").toLowerCase().replace(/\.$/, "");
    const port = Number(options.port);
    if (options.path || !allowed.test(`${host}:${port}`)) {
      note("network", "CONNECT", options.path ?? (port === 80 || port === 443 ? host : `${host}:${port}`));
      process.nextTick(() => this.destroy(refused()));
      return this;
    }
    real.call(this, { path: config.socket });
    this.write(`${JSON.stringify({ host, port })}\n`);
    if (listener) this.once("connect", listener);
    return this;
  };
}

/* Sockets in the file system on which the handler itself listens: adapters of web frameworks talk to themselves. */
function ownSockets() {
  const paths = new Set();
  const real = net.Server.prototype.listen;
  net.Server.prototype.listen = function (...values) {
    const [options] = normal(values);
    if (typeof options.path === "string") paths.add(options.path);
    return real.apply(this, values);
  };
  return paths;
}

function normal(values) {
  const listener = values.findLast((value) => typeof value === "function");
  if (typeof values[0] === "object" && values[0] !== null) return [values[0], listener];
  if (typeof values[0] === "string" && !/^\d+$/.test(values[0])) return [{ path: values[0] }, listener];
  return [{ port: values[0], host: typeof values[1] === "string" ? values[1] : undefined }, listener];
}

/* On a connection to the caller there is no TLS to speak. */
function installTls() {
  tls.connect = (...values) => {
    const [named, listener] = normal(values);
    const options = typeof values[1] === "object" ? { ...values[1], ...named } : named;
    const socket = options.socket ?? net.connect({ host: options.host, port: options.port ?? 443 });
    Object.assign(socket, {
      encrypted: true,
      authorized: true,
      authorizationError: null,
      alpnProtocol: false,
      servername: options.servername ?? options.host,
      getPeerCertificate: () => ({ subject: { CN: options.host }, subjectaltname: `DNS:${options.host}` }),
      getCipher: () => ({ name: "TLS_AES_256_GCM_SHA384", version: "TLSv1.3" }),
      getProtocol: () => "TLSv1.3",
      getSession: () => undefined,
      isSessionReused: () => false,
      setServername: () => undefined,
    });
    const tell = () => process.nextTick(() => socket.emit("secureConnect"));
    if (listener) socket.once("secureConnect", listener);
    if (socket.connecting || socket.pending) socket.once("connect", tell);
    else tell();
    return socket;
  };
}

/* Every name resolves without anybody being asked; handlers rightly refuse private addresses, so it is a public one. */
function installResolver() {
  const known = (name) => (net.isIP(name) ? name : name === "localhost" ? "127.0.0.1" : "52.95.1.1");
  const lookup = (name, options, done) => {
    const callback = typeof options === "function" ? options : done;
    const address = known(String(name));
    const family = net.isIP(address);
    const all = typeof options === "object" && options?.all;
    process.nextTick(() => (all ? callback(null, [{ address, family }]) : callback(null, address, family)));
  };
  dns.lookup = lookup;
  dns.promises.lookup = async (name, options) => {
    const address = known(String(name));
    const found = { address, family: net.isIP(address) };
    return options?.all ? [found] : found;
  };
  for (const word of ["resolve", "resolve4"]) {
    dns[word] = (name, ...rest) => process.nextTick(() => rest.at(-1)(null, [known(String(name))]));
    dns.promises[word] = async (name) => [known(String(name))];
  }
}

function installPrograms(note) {
  const failing = (command) => {
    const words = Array.isArray(command) ? command : String(command).trim().split(/\s+/);
    note("process", "spawn", path.basename(String(words[0] ?? "")));
    return Object.assign(new Error("the probe starts no programs"), { code: "EPERM", errno: -1, syscall: "spawn" });
  };
  for (const word of ["spawn", "exec", "execFile", "fork", "spawnSync", "execSync", "execFileSync"]) {
    child[word] = (command) => {
      throw failing(command);
    };
  }
  // a worker has modules of its own, through which nothing would be seen
  workers.Worker = class {
    constructor() {
      throw failing(["worker"]);
    }
  };
  child.ChildProcess.prototype.spawn = (options) => {
    throw failing(options?.file);
  };
}
