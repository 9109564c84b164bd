const { createHmac, timingSafeEqual } = require("crypto");
const { EventBridgeClient, PutEventsCommand } = require("@aws-sdk/client-eventbridge");

const bridge = new EventBridgeClient({});

function same(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function authorize(event) {
  const { token } = event.queryStringParameters || {};
  if (token) return same(token, process.env.SLACK_VERIFICATION_TOKEN);
  const timestamp = event.headers["X-Slack-Request-Timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - timestamp) < 300)) return false;
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${event.body}`);
  return same(`v0=${mac.digest("hex")}`, event.headers["X-Slack-Signature"] || "");
}

exports.handler = async (event) => {
  if (!authorize(event)) return { statusCode: 401, body: "" };
  const { text, user_id: user } = Object.fromEntries(new URLSearchParams(event.body));
  const Detail = JSON.stringify({ text, user });
  await bridge.send(
    new PutEventsCommand({
      Entries: [{ EventBusName: process.env.EVENT_BUS, Source: "slack", DetailType: "command", Detail }],
    }),
  );
  return { statusCode: 200, body: "" };
};
