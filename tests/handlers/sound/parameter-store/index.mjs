import { createHmac, timingSafeEqual } from "node:crypto";
import { SSMClient, GetParameterCommand } from "@aws-sdk/client-ssm";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";

const ssm = new SSMClient({});
const bus = new EventBridgeClient({});

async function signingSecret() {
  const { Parameter } = await ssm.send(
    new GetParameterCommand({ Name: process.env.SECRET_ID, WithDecryption: true }),
  );
  if (!Parameter?.Value) throw new Error("no signing secret");
  return Parameter.Value;
}

async function verify(event, body) {
  const timestamp = event.headers["x-slack-request-timestamp"] ?? "";
  const age = Date.now() / 1000 - parseInt(timestamp, 10);
  if (!(age < 300 && age > -300)) return false;
  const secret = await signingSecret();
  const expected = createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest();
  const match = /^v0=([0-9a-f]{64})$/.exec(event.headers["x-slack-signature"] ?? "");
  return match !== null && timingSafeEqual(expected, Buffer.from(match[1], "hex"));
}

export async function handler(event) {
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!(await verify(event, body))) return { statusCode: 401, body: "" };
  const Detail = JSON.stringify(Object.fromEntries(new URLSearchParams(body)));
  await bus.send(
    new PutEventsCommand({
      Entries: [{ EventBusName: process.env.EVENT_BUS, Source: "slack", DetailType: "command", Detail }],
    }),
  );
  return { statusCode: 200, body: "" };
}
