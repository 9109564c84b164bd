/*
 * Has the handler's own code record which ways it takes: its files are loaded as the caller has marked them, each with
 * its lines as they were, and what a function says of its own source is without the marks.
 */
"use strict";

const fs = require("node:fs");
const module_ = require("node:module");

const MARKS = /__probe_(?:condition|present|seen)__\(\d+,(?:\(|0\);\/\*;\*\/)|\)\/\*;\*\/\)/g;

/** Begins to record. Gives what tells the ways since it was last asked, and the marked sources by path. */
exports.install = (config) => {
  const sources = config.marks ? new Map(Object.entries(JSON.parse(fs.readFileSync(config.marks, "utf8")))) : new Map();
  let taken = new Set();
  const known = new Map();
  const members = {
    __probe_condition__: (number, value) => (taken.add(value ? number : number + 1), value),
    __probe_present__: (number, value) => (taken.add(value === undefined || value === null ? number + 1 : number), value),
    __probe_seen__: (number, value) => (taken.add(number), value),
  };
  for (const [name, value] of Object.entries(members)) Object.defineProperty(globalThis, name, { value });
  const compile = module_.prototype._compile;
  module_.prototype._compile = function (text, name, ...rest) {
    return compile.call(this, sources.get(name) ?? text, name, ...rest);
  };
  const said = Function.prototype.toString;
  const toString = { toString() { return said.call(this).replace(MARKS, ""); } }.toString;
  Object.defineProperty(Function.prototype, "toString", { value: toString, writable: true, configurable: true });
  const news = () => {
    const ways = [...taken].sort((one, other) => one - other);
    const key = ways.join();
    taken = new Set();
    if (known.has(key)) return { as: known.get(key) };
    known.set(key, known.size);
    return { taken: ways };
  };
  return { news, sources };
};
