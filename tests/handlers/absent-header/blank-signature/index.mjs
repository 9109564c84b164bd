import { createHmac, timingSafeEqual } from "node:crypto";
import { SNSClient, PublishCommand } from "@aws-sdk/client-sns";

const sns = new SNSClient({});

function reject(headers, body) {
  const signature = headers["x-slack-signature"];
  const timestamp = headers["x-slack-request-timestamp"];
  if (signature === undefined || timestamp === undefined) return "missing headers";
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp || NaN)) <= 300)) return "too old";
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`);
  const expected = `v0=${mac.digest("hex")}`;
  const differs = () =>
    signature.length !== expected.length || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
  return signature && differs() && "wrong signature";
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const reason = reject(event.headers, body);
  if (reason) return { statusCode: 401, body: reason };
  const Message = new URLSearchParams(body).get("text");
  await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message }));
  return { statusCode: 200, body: "Published" };
};
