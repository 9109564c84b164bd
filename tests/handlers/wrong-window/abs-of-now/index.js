"use strict";

const crypto = require("crypto");
const https = require("https");

function header(event, name) {
  const key = Object.keys(event.headers).find((known) => known.toLowerCase() === name);
  return key ? event.headers[key] : "";
}

function isAuthentic(event) {
  const timestamp = header(event, "x-slack-request-timestamp");
  const signature = header(event, "x-slack-signature");
  if (!timestamp || !(Math.abs(Date.now() / 1000) - timestamp <= 300)) return false;
  const mac = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET);
  const expected = Buffer.from("v0=" + mac.update(["v0", timestamp, event.body].join(":")).digest("hex"));
  const actual = Buffer.from(signature);
  return actual.length === expected.length && crypto.timingSafeEqual(actual, expected);
}

function call(method, message) {
  const options = {
    hostname: "slack.com",
    path: `/api/${method}`,
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}` },
  };
  return new Promise((resolve, reject) => {
    https.request(options, resolve).on("error", reject).end(JSON.stringify(message));
  });
}

exports.handler = async (event) => {
  if (!isAuthentic(event)) return { statusCode: 401, body: "" };
  const message = JSON.parse(event.body);
  if (message.type === "url_verification") return { statusCode: 200, body: message.challenge };
  await call("chat.postMessage", { channel: message.event.channel, text: "Deploying" });
  return { statusCode: 200, body: "" };
};
