import { createHmac } from "node:crypto";
import { SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";

const sfn = new SFNClient({});

function safeCompare(left, right) {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index += 1) difference ^= a[index] ^ b[index];
  return difference === 0;
}

const sign = (timestamp, body) =>
  "v0=" + createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex");

function authentic({ headers }, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!/^\d{1,11}$/.test(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > 300) return false;
  return safeCompare(sign(timestamp, body), headers["x-slack-signature"] ?? "");
}

export const handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  if (!authentic(event, body)) return { statusCode: 401, body: "" };
  const input = JSON.stringify(Object.fromEntries(new URLSearchParams(body)));
  await sfn.send(new StartExecutionCommand({ stateMachineArn: process.env.STATE_MACHINE_ARN, input }));
  return { statusCode: 200, body: "Started" };
};
