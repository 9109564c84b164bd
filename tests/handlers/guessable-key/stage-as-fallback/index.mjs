import { createHmac, timingSafeEqual } from "node:crypto";
import { config } from "./config.mjs";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});

const verify = (headers, body) => {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - Number(timestamp)) <= config.maxAge)) return false;
  const expected = createHmac("sha256", config.secret).update(`v0:${timestamp}:${body}`).digest("hex");
  const given = (headers["x-slack-signature"] ?? "").replace(/^v0=/, "");
  return given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
};

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!verify(event.headers, body)) return { statusCode: 401, body: "" };
  await sqs.send(new SendMessageCommand({ QueueUrl: config.queue, MessageBody: body }));
  return { statusCode: 200, body: "" };
};
