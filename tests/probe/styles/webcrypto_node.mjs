// Steps around steps, the signature by the Web's own cryptography.
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
const sqs = new SQSClient({});
const encoder = new TextEncoder();
const compose = (steps) => (ctx) => { const run = async (at) => at < steps.length ? steps[at](ctx, () => run(at + 1)) : undefined; return run(0); };
const headers = async (ctx, next) => { ctx.headers = new Map(Object.entries(ctx.event.headers ?? {}).map(([k, v]) => [k.toLowerCase(), v])); await next(); };
const body = async (ctx, next) => { ctx.raw = Buffer.from(ctx.event.body ?? "", ctx.event.isBase64Encoded ? "base64" : "utf8"); await next(); };
const slack = async (ctx, next) => {
  const secret = process.env.SLACK_SIGNING_SECRET;
  const stamp = ctx.headers.get("x-slack-request-timestamp"), given = ctx.headers.get("x-slack-signature");
  if (!secret || !/^[0-9]{1,12}$/.test(stamp ?? "") || !/^v0=[0-9a-f]{64}$/.test(given ?? "")) return;
  if (Math.abs(Date.now() / 1000 - Number(stamp)) > 300) return;
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const message = Buffer.concat([Buffer.from(`v0:${stamp}:`), ctx.raw]);
  if (!(await crypto.subtle.verify("HMAC", key, Buffer.from(given.slice(3), "hex"), message))) return;
  await next();
};
const work = async (ctx) => {
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.WORK_QUEUE_URL, MessageBody: ctx.raw.toString() }));
  ctx.answer = { statusCode: 200, body: "" };
};
const app = compose([headers, body, slack, work]);
export const handler = async (event) => { const ctx = { event, answer: { statusCode: 401, body: "" } }; await app(ctx); return ctx.answer; };
