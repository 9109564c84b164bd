import { createHmac, timingSafeEqual } from "node:crypto";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";

const lambda = new LambdaClient({});

function verify(headers, bytes) {
  const length = Number(headers["content-length"] ?? bytes.length);
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false;
  const expected = createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(`v0:${timestamp}:`)
    .update(bytes.subarray(0, length))
    .digest("hex");
  const given = Buffer.from(headers["x-slack-signature"] ?? "");
  return given.length === 67 && timingSafeEqual(given, Buffer.from(`v0=${expected}`));
}

export const handler = async (event) => {
  const bytes = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  if (!verify(event.headers, bytes)) return { statusCode: 401, body: "" };
  const form = Object.fromEntries(new URLSearchParams(bytes.toString("utf8")));
  await lambda.send(
    new InvokeCommand({
      FunctionName: process.env.WORKER_FUNCTION,
      InvocationType: "Event",
      Payload: JSON.stringify({ text: form.text, user: form.user_id }),
    }),
  );
  return { statusCode: 200, body: "" };
};
