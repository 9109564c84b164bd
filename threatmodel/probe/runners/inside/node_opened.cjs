/*
 * Which files a Node.js handler reads, and which folders it lists: modules that it requires or imports are among them.
 */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { fileURLToPath } = require("node:url");
const { MessageChannel, receiveMessageOnPort } = require("node:worker_threads");
const { syncBuiltinESMExports } = require("node:module");

const MOST = 20000;
const READS = ["open", "openSync", "readFile", "readFileSync", "createReadStream", "readdir", "readdirSync", "opendir", "opendirSync", "copyFile", "copyFileSync", "cp", "cpSync"];
const OF_PROMISES = ["open", "readFile", "readdir", "opendir", "copyFile", "cp"];
const WRITES = /[wa+]/;

/** Begins to record. Gives what tells the paths since it was last asked, and a port for what is imported elsewhere. */
exports.install = (config) => {
  const seen = new Set();
  let fresh = [];
  const own = [config.temporary + path.sep, "/proc/", "/dev/"];
  const read = (place) => {
    if (place instanceof URL) place = place.protocol === "file:" ? fileURLToPath(place) : undefined;
    if (Buffer.isBuffer(place)) place = place.toString();
    if (typeof place !== "string" || seen.size > MOST) return;
    const name = path.resolve(place);
    if (seen.has(name) || own.some((folder) => name.startsWith(folder))) return;
    seen.add(name);
    fresh.push(name);
  };
  const written = (place) => typeof place === "string" && seen.add(path.resolve(place));
  watch(fs, READS, read, written);
  watch(fs.promises, OF_PROMISES, read, written);
  for (const word of ["writeFile", "writeFileSync", "appendFile", "appendFileSync", "createWriteStream"]) {
    const real = fs[word];
    fs[word] = (place, ...rest) => (written(place), real.call(fs, place, ...rest));
  }
  const load = process.dlopen;
  process.dlopen = (module_, name, ...rest) => (read(name), load.call(process, module_, name, ...rest));
  syncBuiltinESMExports();
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  const described = new Set();
  const news = () => {
    for (let told; (told = receiveMessageOnPort(port1)); ) if (told.message.startsWith("file:")) read(fileURLToPath(told.message));
    for (const name of Object.keys(require.cache)) read(name);
    for (const name of fresh.slice()) describe(path.dirname(name), described, read);
    const told = fresh.filter((name) => !name.startsWith(__dirname + path.sep));
    fresh = [];
    return told.length > 0 ? { read: told } : {};
  };
  return { news, port: port2 };
};

function watch(module_, words, read, written) {
  for (const word of words) {
    const real = module_[word];
    module_[word] = function (place, ...rest) {
      if (typeof rest[0] === "string" && word.startsWith("open") && WRITES.test(rest[0])) written(place);
      else read(place);
      return real.call(this, place, ...rest);
    };
    if (real[Symbol.for("nodejs.util.promisify.custom")]) module_[word][Symbol.for("nodejs.util.promisify.custom")] = real[Symbol.for("nodejs.util.promisify.custom")];
  }
}

/* The package.json of each module decides how it is loaded; Node.js reads it by ways of its own. */
function describe(folder, described, read) {
  for (; !described.has(folder) && folder !== path.dirname(folder); folder = path.dirname(folder)) {
    described.add(folder);
    const file = path.join(folder, "package.json");
    if (fs.existsSync(file)) return read(file);
    if (path.basename(folder) === "node_modules") return undefined;
  }
  return undefined;
}
