import { createHmac, timingSafeEqual } from "node:crypto";
import { SNSClient, PublishCommand } from "@aws-sdk/client-sns";

const sns = new SNSClient({});

function parse(event) {
  const raw = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const form = new URLSearchParams(raw);
  return { headers: event.headers, form, fields: Object.fromEntries(form) };
}

function isSigned({ headers, fields }) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return false;
  const body = new URLSearchParams(fields).toString();
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`);
  const expected = Buffer.from(`v0=${mac.digest("hex")}`);
  const given = Buffer.from(headers["x-slack-signature"] ?? "");
  return expected.length === given.length && timingSafeEqual(expected, given);
}

export const handler = async (event) => {
  const request = parse(event);
  if (!isSigned(request)) return { statusCode: 401, body: "" };
  await sns.send(
    new PublishCommand({
      TopicArn: process.env.TOPIC_ARN,
      Subject: request.form.get("command"),
      Message: request.form.get("text"),
    }),
  );
  return { statusCode: 200, body: "Published" };
};
