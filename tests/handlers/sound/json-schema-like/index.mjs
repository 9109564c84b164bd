import { createHmac, timingSafeEqual } from "node:crypto";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";

const bridge = new EventBridgeClient({});
const text = (value) => typeof value === "string";
const shape = { type: text, user: text, channel: text, text };

const fits = (value) => Object.entries(shape).every(([key, check]) => check(value?.[key]));

function header(event, name) {
  const found = Object.entries(event.headers).filter(([key]) => key.toLowerCase() === name);
  return found.length === 1 ? found[0][1] : "";
}

function isSigned(event) {
  const secret = process.env.SLACK_SIGNING_SECRET;
  const timestamp = header(event, "x-slack-request-timestamp");
  if (!secret || !/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const mac = createHmac("sha256", secret).update(`v0:${timestamp}:${event.body}`);
  const own = Buffer.from(`v0=${mac.digest("hex")}`);
  const sent = Buffer.from(header(event, "x-slack-signature"));
  return own.length === sent.length && timingSafeEqual(own, sent);
}

export const handler = async (event) => {
  if (!isSigned(event)) return { statusCode: 401, body: "" };
  const message = JSON.parse(event.body);
  if (message.type === "url_verification" && text(message.challenge)) {
    return { statusCode: 200, headers: { "content-type": "text/plain" }, body: message.challenge };
  }
  if (!fits(message.event)) return { statusCode: 400, body: "" };
  const Detail = JSON.stringify({ channel: message.event.channel, text: message.event.text });
  await bridge.send(
    new PutEventsCommand({
      Entries: [{ EventBusName: process.env.EVENT_BUS, Source: "slack", DetailType: "mention", Detail }],
    }),
  );
  return { statusCode: 200, body: "" };
};
