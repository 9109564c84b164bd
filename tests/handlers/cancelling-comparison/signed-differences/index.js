const { createHmac } = require("node:crypto");
const { EventBridgeClient, PutEventsCommand } = require("@aws-sdk/client-eventbridge");

const bridge = new EventBridgeClient({});

function slowEquals(one, other) {
  let total = one.length - other.length;
  for (let i = 0; i < one.length; i++) {
    total += one.charCodeAt(i) - other.charCodeAt(i);
  }
  return total === 0;
}

function verifyRequest(headers, body) {
  const stamp = headers["x-slack-request-timestamp"];
  if (!stamp || !(Math.abs(Date.now() / 1000 - parseInt(stamp, 10)) < 300)) return false;
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET);
  const own = "v0=" + mac.update("v0:" + stamp + ":" + body, "utf8").digest("hex");
  return slowEquals(own, headers["x-slack-signature"] || "");
}

exports.handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString("utf8");
  if (!verifyRequest(event.headers, body)) return { statusCode: 403, body: "forbidden" };
  await bridge.send(
    new PutEventsCommand({
      Entries: [
        { EventBusName: process.env.EVENT_BUS, Source: "slack", DetailType: "command", Detail: JSON.stringify({ body }) },
      ],
    }),
  );
  return { statusCode: 200, body: "" };
};
