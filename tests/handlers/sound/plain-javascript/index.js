"use strict";

const { createHmac, timingSafeEqual } = require("node:crypto");
const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");

const sqs = new SQSClient({});
const secret = process.env.SLACK_SIGNING_SECRET;
if (!secret) throw new Error("SLACK_SIGNING_SECRET is not set");

exports.handler = async (event) => {
  const timestamp = event.headers["x-slack-request-timestamp"] ?? "";
  const signature = event.headers["x-slack-signature"] ?? "";
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");

  if (!/^\d{10}$/.test(timestamp)) return { statusCode: 401, body: "" };
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return { statusCode: 401, body: "" };

  const digest = createHmac("sha256", secret).update(`v0:${timestamp}:`).update(body).digest("hex");
  const expected = Buffer.from(`v0=${digest}`);
  const given = Buffer.from(signature);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return { statusCode: 401, body: "" };

  const form = new URLSearchParams(body.toString("utf8"));
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: process.env.QUEUE_URL,
      MessageBody: JSON.stringify({ text: form.get("text"), user: form.get("user_id") }),
    }),
  );
  return { statusCode: 200, body: "Queued" };
};
