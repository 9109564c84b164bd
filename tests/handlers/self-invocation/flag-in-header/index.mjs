import { createHmac, timingSafeEqual } from "node:crypto";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";

const lambda = new LambdaClient({});
const INTERNAL = "x-worker";

function fromSlack(headers, body) {
  const sent = headers["x-slack-request-timestamp"];
  if (!/^\d+$/.test(sent ?? "") || Math.abs(Date.now() / 1000 - sent) > 300) return false;
  const ours = Buffer.from(
    "v0=" + createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${sent}:${body}`).digest("hex"),
  );
  const theirs = Buffer.from(headers["x-slack-signature"] ?? "");
  return theirs.length === ours.length && timingSafeEqual(theirs, ours);
}

async function deploy(form) {
  const [service, stage] = form.get("text").split(" ");
  await fetch(form.get("response_url"), {
    method: "POST",
    body: JSON.stringify({ text: `${service} is on its way to ${stage}` }),
  });
}

export async function handler(event, context) {
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString();
  if (event.headers[INTERNAL]) {
    await deploy(new URLSearchParams(body));
    return { statusCode: 204 };
  }
  if (!fromSlack(event.headers, body)) return { statusCode: 401, body: "unauthorized" };
  await lambda.send(
    new InvokeCommand({
      FunctionName: context.invokedFunctionArn,
      InvocationType: "Event",
      Payload: JSON.stringify({ ...event, headers: { [INTERNAL]: "1" } }),
    }),
  );
  return { statusCode: 200, body: "" };
}
