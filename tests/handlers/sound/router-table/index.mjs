import { signed, anyone } from "./guards.mjs";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});

async function command(body) {
  const form = new URLSearchParams(body.toString());
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: process.env.QUEUE_URL,
      MessageBody: JSON.stringify({ text: form.get("text"), user: form.get("user_id") }),
    }),
  );
  return { statusCode: 200, body: "Queued" };
}

const health = async () => ({ statusCode: 200, body: "ok" });

const routes = new Map([
  ["POST /slack/commands", { guard: signed, handle: command }],
  ["GET /health", { guard: anyone, handle: health }],
]);

export const handler = async (event) => {
  const { method, path } = event.requestContext.http;
  const route = routes.get(`${method} ${path}`);
  if (!route) return { statusCode: 404 };
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  return route.guard(event.headers, body) ? route.handle(body) : { statusCode: 401 };
};
