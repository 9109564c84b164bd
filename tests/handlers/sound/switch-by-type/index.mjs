import { createHmac, timingSafeEqual } from "node:crypto";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";

const lambda = new LambdaClient({});

function isAuthentic(headers, body) {
  const secret = process.env.SLACK_SIGNING_SECRET;
  const sent = Number.parseInt(headers["x-slack-request-timestamp"] ?? "", 10);
  const now = Math.floor(Date.now() / 1000);
  if (!secret || Number.isNaN(sent) || sent < now - 300 || sent > now + 300) return false;
  const own = createHmac("sha256", secret).update(`v0:${headers["x-slack-request-timestamp"]}:${body}`).digest("hex");
  const pair = [`v0=${own}`, headers["x-slack-signature"] ?? ""].map((value) => Buffer.from(value));
  return pair[0].length === pair[1].length && timingSafeEqual(...pair);
}

export async function handler(event) {
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString("utf8");
  if (!isAuthentic(event.headers, body)) return { statusCode: 401, body: "" };
  const message = JSON.parse(body);
  switch (message.type) {
    case "url_verification":
      return { statusCode: 200, body: message.challenge };
    case "event_callback": {
      const Payload = JSON.stringify(message.event);
      await lambda.send(
        new InvokeCommand({ FunctionName: process.env.WORKER_FUNCTION, InvocationType: "Event", Payload }),
      );
      return { statusCode: 200, body: "" };
    }
    default:
      return { statusCode: 400, body: "" };
  }
}
