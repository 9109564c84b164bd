const crypto = require("crypto");
const https = require("https");
const { URLSearchParams } = require("url");

function tooOld(timestamp) {
  const now = Math.floor(new Date().getTime() / 1000);
  return Math.abs(now - timestamp) > 60 * 5;
}

function signatureOf(timestamp, body) {
  const [, seconds] = /^(\d+)/.exec(timestamp) || [];
  return (
    "v0=" +
    crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${seconds}:${body}`, "utf8").digest("hex")
  );
}

function isVerified(event, body) {
  const timestamp = event.headers["x-slack-request-timestamp"];
  const signature = event.headers["x-slack-signature"];
  if (timestamp === undefined || signature === undefined) return false;
  if (tooOld(timestamp)) return false;
  const expected = signatureOf(timestamp, body);
  return expected.length === signature.length && crypto.timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
}

exports.handler = function (event, context, callback) {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!isVerified(event, body)) return callback(null, { statusCode: 401, body: "" });
  const form = new URLSearchParams(body);
  const request = https.request(
    form.get("response_url"),
    { method: "POST", headers: { "Content-Type": "application/json" } },
    (answer) => {
      answer.resume();
      answer.on("end", () => callback(null, { statusCode: 200, body: "" }));
    },
  );
  request.write(JSON.stringify({ text: `Rolling out ${form.get("text")}` }));
  request.end();
};
