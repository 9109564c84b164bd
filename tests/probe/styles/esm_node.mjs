// An ES module over the SDK's third version; the secret comes once, from Secrets Manager, with await at the top.
import { createHmac, timingSafeEqual } from "node:crypto";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const secrets = new SecretsManagerClient({});
const { SecretString: secret } = await secrets.send(new GetSecretValueCommand({ SecretId: process.env.SECRET_ID }));
const sqs = new SQSClient({});

const verified = ({ headers, body }) => {
  const sent = headers["x-slack-request-timestamp"];
  if (!secret || !/^[0-9]+$/.test(sent ?? "") || Math.abs(Date.now() / 1000 - Number(sent)) > 300) return false;
  const expected = Buffer.from("v0=" + createHmac("sha256", secret).update(`v0:${sent}:`).update(body).digest("hex"));
  const given = Buffer.from(headers["x-slack-signature"] ?? "");
  return expected.length === given.length && timingSafeEqual(expected, given);
};

export async function handler(event) {
  const headers = Object.fromEntries(Object.entries(event.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  if (!verified({ headers, body })) return { statusCode: 401, body: "" };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: "work" }));
  return { statusCode: 200, body: "Working." };
}
