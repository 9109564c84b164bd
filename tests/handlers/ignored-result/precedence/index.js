const crypto = require("crypto");
const { EventBridgeClient, PutEventsCommand } = require("@aws-sdk/client-eventbridge");

const bridge = new EventBridgeClient({});

const isFresh = ({ headers }) => Math.abs(Date.now() / 1000 - Number(headers["x-slack-request-timestamp"] || NaN)) <= 300;

const isRetry = ({ headers }) => headers["x-slack-retry-num"] !== undefined;

const isSigned = ({ headers, body }) => {
  const mac = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET);
  const own = Buffer.from("v0=" + mac.update(`v0:${headers["x-slack-request-timestamp"]}:${body}`).digest("hex"));
  const sent = Buffer.from(headers["x-slack-signature"] || "");
  return own.length === sent.length && crypto.timingSafeEqual(own, sent);
};

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const request = { headers: event.headers, body };
  // a retry may be older than five minutes
  const accepted = (isSigned(request) && isFresh(request)) || isRetry(request);
  if (!accepted) return { statusCode: 401, body: "" };
  await bridge.send(
    new PutEventsCommand({
      Entries: [
        { EventBusName: process.env.EVENT_BUS, Source: "slack", DetailType: "command", Detail: JSON.stringify({ body }) },
      ],
    }),
  );
  return { statusCode: 200, body: "" };
};
