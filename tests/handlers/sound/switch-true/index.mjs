import { createHmac, timingSafeEqual } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});


const SECRET = process.env.SLACK_SIGNING_SECRET ?? "";

function verdict(headers, raw) {
  const stamp = headers["x-slack-request-timestamp"] ?? "";
  const given = Buffer.from(headers["x-slack-signature"] ?? "");
  switch (true) {
    case SECRET.length < 8:
      throw new Error("SLACK_SIGNING_SECRET is missing");
    case !/^\d{10}$/.test(stamp):
      return { ok: false, why: "timestamp" };
    case Math.abs(Date.now() / 1000 - Number(stamp)) > 300:
      return { ok: false, why: "age" };
    default: {
      const own = Buffer.from(`v0=${createHmac("sha256", SECRET).update(`v0:${stamp}:`).update(raw).digest("hex")}`);
      return { ok: own.length === given.length && timingSafeEqual(own, given), why: "signature" };
    }
  }
}

export const handler = async (event) => {
  const headers = Object.fromEntries(Object.entries(event.headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
  const raw = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  const { ok, why } = verdict(headers, raw);
  if (!ok) {
    console.warn("refused", why);
    return { statusCode: 401, body: "" };
  }
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: raw.toString("latin1") }));
  return { statusCode: 200, body: "" };
};
