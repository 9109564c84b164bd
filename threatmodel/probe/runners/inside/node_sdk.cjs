/* A stand-in for any package of the AWS SDK: names make it what it is (a client, a command, an exception). */
"use strict";

const net = require("node:net");

let socketPath = "";
const packages = new Map();

exports.configure = (config) => {
  socketPath = config.socket;
};

/** The package of a name: a Proxy that has every member; of one client of version 2, the client itself. */
exports.of = (name) => {
  const client = /^aws-sdk\/clients\/(\w+)$/.exec(name);
  if (client) return exports.of("aws-sdk")[CLIENTS[client[1]] ?? client[1][0].toUpperCase() + client[1].slice(1)];
  if (!packages.has(name)) packages.set(name, made(name));
  return packages.get(name);
};

const CLIENTS = { dynamodb: "DynamoDB", secretsmanager: "SecretsManager", stepfunctions: "StepFunctions" };

function made(name) {
  const known = new Map();
  const member = (word) => {
    if (!known.has(word)) known.set(word, create(word, name));
    return known.get(word);
  };
  /* Compilers copy what can be enumerated, and keep what they copied from as the prototype: that is the package again. */
  const handlers = {
    get: (target, word) => (word === "__esModule" ? true : typeof word !== "string" || word === "then" ? undefined : member(word)),
    has: () => true,
  };
  const prototype = new Proxy({}, handlers);
  return new Proxy({}, { ...handlers, getPrototypeOf: () => prototype });
}

function create(word, name) {
  if (word === "default") return exports.of(name);
  if (word === "config" && name === "aws-sdk") return { update() {} };
  if (word === "marshall") return (item) => marshalled(item);
  if (word === "unmarshall") return (item) => unmarshalled(item);
  if (word === "getSignedUrl") return async () => "https://s3.eu-west-1.amazonaws.com/probe";
  if (/^paginate[A-Z]/.test(word)) return paginated(word.slice("paginate".length));
  if (/^waitUntil/.test(word)) return async () => ({ state: "SUCCESS" });
  if (/^from[A-Z]/.test(word)) return () => async () => ({ accessKeyId: "PROBE", secretAccessKey: "probe" });
  if (/Command$/.test(word)) return commandOf(word.slice(0, -"Command".length), name);
  if (/(?:Exception|Error|NotFound|Failed)$/.test(word)) return exceptionOf(word);
  if (/^[A-Z]/.test(word)) return clientOf(word, name);
  return undefined;
}

const COMMANDS = { Put: "PutItem", Get: "GetItem", Update: "UpdateItem", Delete: "DeleteItem", TransactWrite: "TransactWriteItems", TransactGet: "TransactGetItems", BatchWrite: "BatchWriteItem", BatchGet: "BatchGetItem" };

function commandOf(operation, name) {
  const document = name.endsWith("/lib-dynamodb");
  return class {
    constructor(input = {}) {
      this.input = input;
      this.operation = document ? (COMMANDS[operation] ?? operation) : operation;
      this.document = document;
    }
  };
}

const exceptions = new Map();

function exceptionOf(word) {
  if (!exceptions.has(word)) {
    const Made = { [word]: class extends Error {} }[word];
    Object.defineProperty(Made.prototype, "name", { value: word, writable: true, configurable: true });
    exceptions.set(word, Made);
  }
  return exceptions.get(word);
}

const serviceOf = (word, name) =>
  name === "aws-sdk" ? word.toLowerCase() : name.endsWith("/lib-dynamodb") ? "dynamodb" : name.replace(/^@aws-sdk\/(?:client-)?/, "").replaceAll("-", "");

/** A client; those without "Client" in their name have every operation as a method, as version 2 has. */
function clientOf(word, name, second = name === "aws-sdk") {
  const service = serviceOf(word, name);
  const document = /Document/.test(word);
  class Client {
    constructor(options = {}) {
      this.config = options;
      this.middlewareStack = { add() {}, use() {}, remove() {} };
      return /Client$/.test(word) && !second ? this : new Proxy(this, { get: method });
    }

    static from() {
      return new this();
    }

    send(command, options, done) {
      const asked = send(service, command, second);
      const callback = typeof options === "function" ? options : done;
      if (!callback) return asked;
      asked.then((value) => callback(null, value), (error) => callback(error));
      return undefined;
    }

    destroy() {}
  }
  const method = (client, operation) => {
    if (operation in client || typeof operation !== "string" || operation === "then") return client[operation];
    const upper = operation[0].toUpperCase() + operation.slice(1);
    const full = document ? (COMMANDS[upper] ?? upper) : upper;
    return (input = {}, callback) => {
      const command = { input: typeof input === "function" ? {} : input, operation: full, document };
      const done = typeof input === "function" ? input : callback;
      const asked = () => send(service, command, second);
      if (done) asked().then((value) => done(null, value), (error) => done(error));
      return second ? { promise: asked } : done ? undefined : asked();
    };
  };
  Object.defineProperty(Client, "name", { value: word });
  if (second && word === "DynamoDB") Client.DocumentClient = clientOf("DynamoDBDocument", "@aws-sdk/lib-dynamodb", true);
  return Client;
}

function paginated(operation) {
  return async function* ({ client }, input) {
    yield await client.send({ operation, input, document: false });
  };
}

/** What the caller answers to a command. */
async function send(service, { operation, input, document }, second) {
  const params = plain(document ? deep(input) : input);
  const told = await ask({ service, operation, params });
  if (told.silent) throw Object.assign(new Error("Connection timed out"), { name: "TimeoutError" }, second && { code: "TimeoutError" });
  const meta = { httpStatusCode: told.error ? 400 : 200, requestId: "probe", attempts: 1, totalRetryDelay: 0 };
  if (told.error) {
    const { Code, Message } = told.error;
    const error = new (exceptionOf(Code))(Message);
    const how = second ? { code: Code, statusCode: 400 } : { $metadata: meta, $fault: "client", ...(service === "s3" && { Code }) };
    throw Object.assign(error, how, told.more); // version 3 has the code as the name of the error only
  }
  const answer = rich(told.answer);
  return { ...(document ? read(answer) : answer), $metadata: meta };
}

function ask(message) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath);
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (data) => (text += data));
    socket.on("error", reject);
    socket.on("close", () => {
      try {
        resolve(JSON.parse(text));
      } catch (error) {
        reject(error);
      }
    });
    socket.end(`${JSON.stringify(message)}\n`);
  });
}

// --- values

const isBytes = (value) => ArrayBuffer.isView(value) || value instanceof ArrayBuffer;

function plain(value) {
  if (isBytes(value)) return Buffer.from(value.buffer ?? value, value.byteOffset, value.byteLength).toString("base64");
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Set) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, plain(held)]));
  }
  return typeof value === "bigint" ? String(value) : value;
}

const DATES = new Set(["CreatedDate", "LastModifiedDate", "startDate"]);

function rich(answer) {
  const made = {};
  for (const [key, value] of Object.entries(answer)) {
    if (DATES.has(key) && typeof value === "number") made[key] = new Date(value * 1000);
    else if (key === "Plaintext") made[key] = new Uint8Array(Buffer.from(value, "base64"));
    else if (["Payload", "Configuration"].includes(key)) made[key] = Object.assign(new Uint8Array(Buffer.from(value)), { transformToString: () => value });
    else if (key === "Body") made[key] = { transformToString: async () => value, toString: () => value };
    else if (key === "Parameter") made[key] = rich(value);
    else made[key] = value;
  }
  return made;
}

function one(value) {
  if (value === null) return { NULL: true };
  if (typeof value === "boolean") return { BOOL: value };
  if (typeof value === "number" || typeof value === "bigint") return { N: String(value) };
  if (typeof value === "string") return { S: value };
  if (isBytes(value)) return { B: plain(value) };
  if (value instanceof Set) {
    const inner = [...value].map(one);
    const letter = Object.keys(inner[0] ?? { S: "" })[0];
    return { [`${letter}S`]: inner.map((held) => held[letter]) };
  }
  if (Array.isArray(value)) return { L: value.map(one) };
  if (typeof value === "object") return { M: marshalled(value) };
  throw new TypeError(`Unsupported type passed: ${typeof value}`);
}

const marshalled = (item) =>
  Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined).map(([key, value]) => [key, one(value)]));

function back(value) {
  const [letter, held] = Object.entries(value)[0];
  if (letter === "N") return Number(held);
  if (letter === "NULL") return null;
  if (letter === "M") return unmarshalled(held);
  if (letter === "L") return held.map(back);
  if (letter === "NS") return new Set(held.map(Number));
  return letter === "SS" ? new Set(held) : held;
}

const unmarshalled = (item) => Object.fromEntries(Object.entries(item).map(([key, value]) => [key, back(value)]));

/** Items, keys and values of a document client's input, wherever they stand in it. */
function deep(value, key = "") {
  if (["Item", "Key", "ExpressionAttributeValues"].includes(key) && value) return marshalled(value);
  if (key === "Keys" && Array.isArray(value)) return value.map(marshalled);
  if (Array.isArray(value)) return value.map((held) => deep(held));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, deep(held, name)]));
  }
  return value;
}

function read(answer) {
  const made = { ...answer };
  for (const word of ["Item", "Attributes"]) if (made[word]) made[word] = unmarshalled(made[word]);
  if (made.Items) made.Items = made.Items.map(unmarshalled);
  return made;
}
