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

const { EventBridgeClient, PutEventsCommand } = require("@aws-sdk/client-eventbridge");
const bus = new EventBridgeClient({});

exports.handler = async (event) => {
  const text = textOf(event);
  const form = Object.fromEntries(new URLSearchParams(text));
  if ((form.text ?? "").length > 300) {
    const Entries = [{ EventBusName: process.env.EVENT_BUS, Source: "slack", DetailType: "long", Detail: text }];
    await bus.send(new PutEventsCommand({ Entries }));
    form.text = form.text.slice(0, 300);
  }
  if (!genuine(event.headers, text)) return reply(401);
  await enqueue(form);
  return reply(200);
};
