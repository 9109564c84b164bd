import { createHmac, timingSafeEqual } from "node:crypto";
import { SSMClient, GetParameterCommand } from "@aws-sdk/client-ssm";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});
const { Parameter } = await new SSMClient({}).send(
  new GetParameterCommand({ Name: process.env.SECRET_ID, WithDecryption: true }),
);
const seconds = Math.floor(Date.now() / 1000);
const limits = { oldest: seconds - 300, newest: seconds + 300 };

function verified(headers, body) {
  const timestamp = Number(headers["x-slack-request-timestamp"]);
  if (!(timestamp >= limits.oldest && timestamp <= limits.newest)) return false;
  const own = createHmac("sha256", Parameter.Value).update(`v0:${timestamp}:${body}`).digest("hex");
  const given = Buffer.from(headers["x-slack-signature"] ?? "");
  const expected = Buffer.from(`v0=${own}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

export const handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  if (!verified(event.headers, body)) return { statusCode: 401, body: "" };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: body }));
  return { statusCode: 200, body: "" };
};
