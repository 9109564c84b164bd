import { createHmac, timingSafeEqual } from "node:crypto";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

interface Request {
  headers?: Record<string, string | undefined> | null;
  body?: string | null;
  isBase64Encoded?: boolean;
}

const secret: string = process.env.SLACK_SIGNING_SECRET ?? "";
const sqs = new SQSClient({});

function isGenuine(event: Request): boolean {
  const headers = new Map(Object.entries(event.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value ?? ""]));
  const sent = headers.get("x-slack-request-timestamp") ?? "";
  if (!secret || !/^\d+$/.test(sent) || Math.abs(Date.now() / 1000 - Number(sent)) > 300) return false;
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  const hmac = createHmac("sha256", secret).update(`v0:${sent}:`).update(body);
  const expected = Buffer.from(`v0=${hmac.digest("hex")}`);
  const given = Buffer.from(headers.get("x-slack-signature") ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

export const handler = async (event: Request): Promise<{ statusCode: number; body: string }> => {
  if (!isGenuine(event)) return { statusCode: 401, body: "" };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.WORK_QUEUE_URL, MessageBody: "work" }));
  return { statusCode: 200, body: "Working on it." };
};
