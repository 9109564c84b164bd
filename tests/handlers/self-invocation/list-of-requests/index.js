const { createHmac, timingSafeEqual } = require("crypto");
const { SNSClient, PublishCommand } = require("@aws-sdk/client-sns");
const sns = new SNSClient({});
const good = (h, body) => {
  const t = h["x-slack-request-timestamp"] || "", a = Buffer.from("v0=" + createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${t}:${body}`).digest("hex")), b = Buffer.from(h["x-slack-signature"] || "");
  return /^\d+$/.test(t) && Math.abs(Date.now() / 1000 - t) <= 300 && a.length === b.length && timingSafeEqual(a, b);
};
exports.handler = async (event) => {
  const h = {};
  for (const k in event.headers) h[k.toLowerCase()] = event.headers[k];
  const batch = (h["content-type"] || "").includes("json") ? JSON.parse(event.body) : null;
  if (Array.isArray(batch)) { // a batch from our own scheduler
    for (const one of batch) await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: JSON.stringify(one) }));
    return { statusCode: 200, body: "" };
  }
  if (!good(h, event.body)) return { statusCode: 401, body: "" };
  await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: event.body }));
  return { statusCode: 200, body: "" };
};
