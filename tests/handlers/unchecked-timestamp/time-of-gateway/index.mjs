import { createHmac, timingSafeEqual } from "node:crypto";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";

const bridge = new EventBridgeClient({});

const tooOld = ({ requestContext }) => Math.abs(Date.now() - requestContext.timeEpoch) > 5 * 60 * 1000;

function signatureMatches({ headers }, body) {
  const signature = headers["x-slack-signature"];
  const timestamp = headers["x-slack-request-timestamp"];
  if (!signature || !timestamp) return false;
  const own = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex");
  const expected = `v0=${own}`;
  return signature.length === expected.length && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}

export async function handler(event) {
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString();
  if (tooOld(event) || !signatureMatches(event, body)) return { statusCode: 403, body: "" };
  await bridge.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: process.env.EVENT_BUS,
          Source: "slack",
          DetailType: "command",
          Detail: JSON.stringify(Object.fromEntries(new URLSearchParams(body))),
        },
      ],
    }),
  );
  return { statusCode: 200, body: "" };
}
