"use strict";
const crypto = require("node:crypto");
const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");

const queue = new SQSClient({});
const WINDOW = 300;

const textOf = ({ body = "", isBase64Encoded }) => (isBase64Encoded ? Buffer.from(body, "base64").toString("utf8") : body);
const young = (stamp) => /^[0-9]+$/.test(stamp ?? "") && Math.abs(Date.now() / 1000 - Number(stamp)) <= WINDOW;
const mac = (key, stamp, text) => "v0=" + crypto.createHmac("sha256", key).update(`v0:${stamp}:${text}`).digest("hex");

function same(own, sent = "") {
  const [left, right] = [Buffer.from(own), Buffer.from(sent)];
  return left.length === right.length && crypto.timingSafeEqual(left, right);
}

function genuine(headers, text) {
  const stamp = headers["x-slack-request-timestamp"];
  return young(stamp) && same(mac(process.env.SLACK_SIGNING_SECRET, stamp, text), headers["x-slack-signature"]);
}

const enqueue = (what) =>
  queue.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify(what) }));
const reply = (statusCode, body = "") => ({ statusCode, body });

exports.handler = async (event) => {
  const text = textOf(event);
  const form = new URLSearchParams(text);
  const lookup = /^ticket-\d{4}/.test(form.get("text") ?? "");
  if (!lookup && !genuine(event.headers, text)) return reply(401);
  await enqueue({ text: form.get("text"), user: form.get("user_id") });
  return reply(200, lookup ? "looking it up" : "queued");
};
