// Promises behind a callback, the digest read from a stream, both sides hashed anew before they are compared.
const { createHmac, randomBytes } = require("crypto");
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");
const lambda = new LambdaClient();
const same = (a, b) => { const k = randomBytes(32); const h = (x) => createHmac("sha256", k).update(x).digest("hex"); return h(a) === h(b) && a === b; };
const get = (event, name) => { for (const k of Object.keys(event.headers || {})) if (k.toLowerCase() === name) return event.headers[k]; return ""; };
function verify(event) {
  return new Promise((resolve, reject) => {
    const stamp = get(event, "x-slack-request-timestamp");
    if (!/^\d{10}$/.test(stamp)) return reject(new Error("stamp"));
    if (Math.abs(Math.floor(Date.now() / 1000) - stamp) > 60 * 5) return reject(new Error("old"));
    if (!process.env.SLACK_SIGNING_SECRET) return reject(new Error("no secret"));
    const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET);
    mac.on("readable", () => { const d = mac.read(); if (d) same(`v0=${d.toString("hex")}`, get(event, "x-slack-signature")) ? resolve() : reject(new Error("sig")); });
    mac.write(`v0:${stamp}:`); mac.write(Buffer.from(event.body || "", event.isBase64Encoded ? "base64" : "utf8")); mac.end();
  });
}
exports.handler = (event, context, callback) => {
  verify(event).then(() => lambda.send(new InvokeCommand({ FunctionName: process.env.WORKER, InvocationType: "Event", Payload: JSON.stringify({ b: event.body }) })))
    .then(() => callback(null, { statusCode: 200, body: "" }), () => callback(null, { statusCode: 401, body: "" }));
};
