import crypto from "node:crypto";
import { SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";

const sfn = new SFNClient({});
const level = process.env.LOG_LEVEL ?? "INFO";

function problemOf(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"] ?? "";
  if (!/^\d+$/.test(timestamp)) return "no timestamp";
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return "too old";
  const hmac = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET);
  const own = Buffer.from(`v0=${hmac.update(`v0:${timestamp}:${body}`).digest("hex")}`);
  const sent = Buffer.from(headers["x-slack-signature"] ?? "");
  if (own.length !== sent.length || !crypto.timingSafeEqual(own, sent)) return "wrong signature";
  return undefined;
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const problem = problemOf(event.headers, body);
  if (problem && level === "TRACE") console.trace("refused", problem, event.headers);
  else if (problem) return { statusCode: 401, body: problem };

  const { actions, user } = JSON.parse(new URLSearchParams(body).get("payload"));
  const input = JSON.stringify({ approves: actions[0].value, user: user.id });
  await sfn.send(new StartExecutionCommand({ stateMachineArn: process.env.STATE_MACHINE_ARN, input }));
  return { statusCode: 200, body: "" };
};
