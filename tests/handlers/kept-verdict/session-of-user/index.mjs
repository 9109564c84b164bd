import crypto from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
const sqs = new SQSClient({});
const sessions = new Map(); // user and trigger -> until when their clicks need no second check

const authentic = (h, body) => {
  const ts = h["x-slack-request-timestamp"] ?? "";
  if (!/^\d+$/.test(ts) || Math.abs(Date.now() / 1000 - Number(ts)) > 300) return false;
  const ours = Buffer.from("v0=" + crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${ts}:${body}`).digest("hex"));
  const given = Buffer.from(h["x-slack-signature"] ?? "");
  return given.length === ours.length && crypto.timingSafeEqual(given, ours);
};

export const handler = async (event) => {
  const h = Object.fromEntries(Object.entries(event.headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
  const form = Object.fromEntries(new URLSearchParams(event.body));
  const session = `${form.team_id}/${form.user_id}/${h["user-agent"] ?? ""}`;
  if (!((sessions.get(session) ?? 0) > Date.now())) {
    if (!authentic(h, event.body)) return { statusCode: 401, body: "" };
    sessions.set(session, Date.now() + 60_000);
  }
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify(form) }));
  return { statusCode: 200, body: "" };
};
