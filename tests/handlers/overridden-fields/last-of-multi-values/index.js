"use strict";

const crypto = require("crypto");
const { SNSClient, PublishCommand } = require("@aws-sdk/client-sns");

const sns = new SNSClient({});

function collect(event) {
  const values = new Map();
  const add = (key, value) => values.set(key, [...(values.get(key) ?? []), value]);
  for (const [key, value] of new URLSearchParams(event.body)) add(key, value);
  for (const [key, list] of Object.entries(event.multiValueQueryStringParameters ?? {})) {
    list.forEach((value) => add(key, value));
  }
  return values;
}

function authenticate(event) {
  const { "X-Slack-Request-Timestamp": timestamp = "", "X-Slack-Signature": signature = "" } = event.headers;
  const age = Date.now() / 1000 - Number(timestamp || NaN);
  if (Number.isNaN(age) || age > 300 || age < -300) return false;
  const expected = crypto
    .createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update("v0:")
    .update(timestamp)
    .update(":")
    .update(event.body)
    .digest("hex");
  const pair = [Buffer.from(`v0=${expected}`), Buffer.from(signature)];
  return pair[0].length === pair[1].length && crypto.timingSafeEqual(...pair);
}

exports.handler = async (event) => {
  if (!authenticate(event)) return { statusCode: 401, body: "" };
  const values = collect(event);
  const message = { text: values.get("text").at(-1), user: values.get("user_id").at(-1) };
  await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: JSON.stringify(message) }));
  return { statusCode: 200, body: "Published" };
};
