const crypto = require("crypto");
const https = require("https");

const lower = (headers) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const decoders = {
  base64: (body) => Buffer.from(body, "base64").toString("utf8"),
  "quoted-printable": (body) => body.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
};

function verified(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return null;
  const mac = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`);
  const own = Buffer.from(`v0=${mac.digest("hex")}`);
  const sent = Buffer.from(headers["x-slack-signature"] || "");
  return own.length === sent.length && crypto.timingSafeEqual(own, sent) ? body : null;
}

function contentOf(event) {
  const headers = lower(event.headers);
  const decode = decoders[headers["content-transfer-encoding"]];
  return decode ? decode(event.body) : verified(headers, event.body);
}

exports.handler = (event, context, callback) => {
  const content = contentOf(event);
  if (content === null) return callback(null, { statusCode: 401, body: "" });
  const form = new URLSearchParams(content);
  const request = https.request(form.get("response_url"), { method: "POST" }, (answer) => {
    answer.resume();
    answer.on("end", () => callback(null, { statusCode: 200, body: "" }));
  });
  request.end(JSON.stringify({ text: `Deploying ${form.get("text")}` }));
};
