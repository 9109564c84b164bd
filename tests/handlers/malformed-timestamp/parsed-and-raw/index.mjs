import { createHmac, timingSafeEqual } from "node:crypto";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";

const bus = new EventBridgeClient({});
const MAX_AGE = 300;

// Proxies may have joined repeated headers: the newest value is the last one
function newest(header) {
  return Number(header.split(",").at(-1));
}

function verify(body, headers) {
  const header = headers["x-slack-request-timestamp"] ?? "";
  if (!header || !(Math.abs(Date.now() / 1000 - newest(header)) <= MAX_AGE)) return false;
  const timestamp = parseInt(header, 10);
  const hmac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET);
  const expected = Buffer.from(`v0=${hmac.update(`v0:${timestamp}:${body}`).digest("hex")}`);
  const received = Buffer.from(headers["x-slack-signature"] ?? "");
  return expected.length === received.length && timingSafeEqual(expected, received);
}

export const handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString("utf8") : event.body;
  if (!verify(body, event.headers)) return { statusCode: 401, body: "Unauthorized" };
  await bus.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: process.env.EVENT_BUS,
          Source: "slack.commands",
          DetailType: "deploy",
          Detail: JSON.stringify(Object.fromEntries(new URLSearchParams(body))),
        },
      ],
    }),
  );
  return { statusCode: 200, body: "" };
};
