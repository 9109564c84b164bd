import { createHmac, timingSafeEqual } from "node:crypto";
import { SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";

const sfn = new SFNClient({});

const withBody = (next) => (event) =>
  next({ ...event, raw: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString() });

const withSignature = (secret) => (next) => async (event) => {
  const timestamp = event.headers["x-slack-request-timestamp"];
  const age = Math.abs(Date.now() / 1000 - Number(timestamp ?? NaN));
  const own = Buffer.from(`v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${event.raw}`).digest("hex")}`);
  const sent = Buffer.from(event.headers["x-slack-signature"] ?? "");
  const genuine = age <= 300 && own.length === sent.length && timingSafeEqual(own, sent);
  return genuine ? next(event) : { statusCode: 401, body: "" };
};

const withPayload = (next) => (event) => next(JSON.parse(new URLSearchParams(event.raw).get("payload")));

async function approve({ actions, user }) {
  const input = JSON.stringify({ value: actions[0].value, user: user.id });
  await sfn.send(new StartExecutionCommand({ stateMachineArn: process.env.STATE_MACHINE_ARN, input }));
  return { statusCode: 200, body: "" };
}

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing`);
  return value;
}

export const handler = withBody(withSignature(required("SLACK_SIGNING_SECRET"))(withPayload(approve)));
