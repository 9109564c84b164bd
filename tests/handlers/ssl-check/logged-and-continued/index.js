"use strict";

const crypto = require("crypto");
const https = require("https");

const ok = (text = "") => ({ statusCode: 200, headers: { "Content-Type": "text/plain" }, body: text });

function decode(event) {
  return event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body || "";
}

function isFromSlack(event, body) {
  const timestamp = event.headers["x-slack-request-timestamp"];
  const signature = event.headers["x-slack-signature"];
  if (!timestamp || !signature) return false;
  if (Math.abs(Math.floor(Date.now() / 1000) - Number(timestamp)) > 300) return false;
  const mine = `v0=${crypto
    .createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(`v0:${timestamp}:${body}`)
    .digest("hex")}`;
  return mine.length === signature.length && crypto.timingSafeEqual(Buffer.from(mine), Buffer.from(signature));
}

function post(url, message) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method: "POST" }, (answer) => {
      answer.on("data", () => {});
      answer.on("end", resolve);
    });
    request.on("error", reject);
    request.end(JSON.stringify(message));
  });
}

exports.handler = async (event) => {
  const body = decode(event);
  const form = new URLSearchParams(body);
  let answer;
  if (form.get("ssl_check") === "1") {
    answer = ok();
  } else if (!isFromSlack(event, body)) {
    return { statusCode: 401, body: "invalid signature" };
  }
  await post(form.get("response_url"), { text: `On it: ${form.get("text")}` });
  return answer || ok();
};
