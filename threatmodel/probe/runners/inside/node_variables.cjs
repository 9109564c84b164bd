/*
 * Which variables the handler's own code asks for and does not get, whether it reads the signing secret's; and where its packages lie beside its own folder.
 */
"use strict";

const module_ = require("node:module");
const path = require("node:path");

const MOST = 50;

/** Begins to record. Gives what tells the names so far, and whether any code read the variable of the signing secret. */
exports.install = (config) => {
  const names = new Set();
  let readsSecret = false;
  const folder = config.folder + path.sep;
  const own = () => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 10;
    const lines = String(new Error().stack).split("\n").slice(4); // without this function and those of the proxy
    Error.stackTraceLimit = stackTraceLimit;
    const [asker] = lines; // Node.js itself asks too, for FORCE_COLOR when something is printed
    return asker !== undefined && !asker.includes("node:") && decodeURI(asker).includes(folder) && !asker.includes("node_modules");
  };
  const tell = (name) => {
    if (typeof name === "string" && names.size < MOST && own()) names.add(name.slice(0, 100));
  };
  process.env = new Proxy(process.env, {
    get(target, name) {
      if (typeof name === "string" && !(name in target)) tell(name);
      else readsSecret ||= name === config.secret_variable;
      return target[name];
    },
    has(target, name) {
      if (!(name in target)) tell(name);
      else readsSecret ||= name === config.secret_variable;
      return name in target;
    },
    set(target, name, value) {
      target[name] = value; // process.env takes a value, and no descriptor without the rest
      return true;
    },
  });
  return [() => [...names], () => readsSecret];
};

/** Adds folders of packages, as Lambda adds a layer's: each is a `node_modules`, or holds one. */
exports.addPackages = (folders) => {
  if (folders.length === 0) return;
  const found = folders.flatMap((folder) => [folder, path.join(folder, "node_modules"), path.join(folder, "nodejs", "node_modules")]);
  process.env.NODE_PATH = found.join(path.delimiter);
  module_._initPaths();
};
