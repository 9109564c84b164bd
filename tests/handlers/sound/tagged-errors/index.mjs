import { createHmac, timingSafeEqual } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});


class Refusal extends Error {
  constructor(statusCode, reason) {
    super(reason);
    this.statusCode = statusCode;
  }
}

const need = (truth, status, reason) => {
  if (!truth) throw new Refusal(status, reason);
};

function verify(headers, raw) {
  const secret = process.env.SLACK_SIGNING_SECRET;
  need(secret, 500, "no secret");
  const stamp = headers["x-slack-request-timestamp"];
  need(stamp && /^\d+$/.test(stamp), 401, "timestamp");
  need(Math.abs(Date.now() / 1000 - Number(stamp)) <= 300, 401, "age");
  const own = Buffer.from(`v0=${createHmac("sha256", secret).update(`v0:${stamp}:`).update(raw).digest("hex")}`);
  const given = Buffer.from(headers["x-slack-signature"] ?? "");
  need(own.byteLength === given.byteLength && timingSafeEqual(own, given), 401, "signature");
}

export const handler = async (event) => {
  try {
    const headers = {};
    for (const [name, value] of Object.entries(event.headers ?? {})) headers[name.toLowerCase()] = value;
    const raw = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
    verify(headers, raw);
    const form = new URLSearchParams(raw.toString());
    if (form.get("ssl_check") === "1") return { statusCode: 200, body: "" };
    await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: form.get("text") ?? "" }));
    return { statusCode: 200, body: "" };
  } catch (error) {
    if (error instanceof Refusal) return { statusCode: error.statusCode, body: "" };
    console.error(error.name);
    return { statusCode: 500, body: "" };
  }
};
