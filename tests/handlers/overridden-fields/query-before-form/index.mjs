import { createHmac, timingSafeEqual } from "node:crypto";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";
const lambda = new LambdaClient({});
export const handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const ts = event.headers["x-slack-request-timestamp"] ?? event.headers["X-Slack-Request-Timestamp"] ?? "";
  const sig = event.headers["x-slack-signature"] ?? event.headers["X-Slack-Signature"] ?? "";
  if (!/^\d+$/.test(ts) || Math.abs(Date.now() / 1000 - Number(ts)) > 300) return { statusCode: 401, body: "" };
  const ours = "v0=" + createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${ts}:${body}`).digest("hex");
  if (sig.length !== ours.length || !timingSafeEqual(Buffer.from(sig), Buffer.from(ours))) return { statusCode: 401, body: "" };
  // a GET of the link in a reminder has its values in the query, a command in its body
  const url = new URL("https://bot.invalid/?" + [event.rawQueryString ?? new URLSearchParams(event.queryStringParameters ?? {}), body].filter(String).join("&"));
  const job = { user: url.searchParams.get("user_id"), text: url.searchParams.get("text"), command: url.searchParams.get("command") };
  await lambda.send(new InvokeCommand({ FunctionName: process.env.WORKER_FUNCTION, InvocationType: "Event", Payload: Buffer.from(JSON.stringify(job)) }));
  return { statusCode: 200, body: "" };
};
