import { createHmac, timingSafeEqual } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const queue = new SQSClient({});

class Signature {
  constructor(header) {
    [this.version, this.hex] = header.split("=");
  }

  get bytes() {
    return Buffer.from(this.hex ?? "", "hex");
  }

  matches(secret, timestamp, body) {
    if (this.version !== "v0") return false;
    const expected = createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest();
    const given = this.bytes;
    return timingSafeEqual(given, expected.subarray(0, given.length));
  }
}

function fresh(timestamp) {
  return Math.abs(Date.now() / 1000 - Number(timestamp ?? NaN)) < 300;
}

export const handler = async ({ headers, body: sent, isBase64Encoded }) => {
  const body = Buffer.from(sent ?? "", isBase64Encoded ? "base64" : "utf8").toString();
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = new Signature(headers["x-slack-signature"] ?? "");
  if (!fresh(timestamp) || !signature.matches(process.env.SLACK_SIGNING_SECRET, timestamp, body)) {
    return { statusCode: 401, body: "" };
  }
  await queue.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: body }));
  return { statusCode: 200, body: "" };
};
