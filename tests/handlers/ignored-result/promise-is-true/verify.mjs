import { createHmac, timingSafeEqual } from "node:crypto";
import { SSMClient, GetParameterCommand } from "@aws-sdk/client-ssm";

const ssm = new SSMClient({});

export async function verify(headers, body) {
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: process.env.SECRET_ID, WithDecryption: true }));
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = headers["x-slack-signature"] ?? "";
  if (!timestamp || !(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return false;
  const expected = `v0=${createHmac("sha256", Parameter.Value).update(`v0:${timestamp}:${body}`).digest("hex")}`;
  return signature.length === expected.length && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}
