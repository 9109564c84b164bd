const crypto = require("crypto");
const { SNSClient, PublishCommand } = require("@aws-sdk/client-sns");

const sns = new SNSClient({});

module.exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString("utf8") : event.body;
  const requestSignature = event.headers["x-slack-signature"];
  const requestTimestamp = event.headers["x-slack-request-timestamp"];

  if (!requestSignature || !requestTimestamp) {
    return { statusCode: 400, body: "missing headers" };
  }
  const fiveMinutesAgo = Math.floor(Date.now() / 1000) - 60 * 5;
  if (!(requestTimestamp >= fiveMinutesAgo && requestTimestamp <= fiveMinutesAgo + 600)) {
    return { statusCode: 400, body: "request too old" };
  }
  const hmac = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET);
  hmac.update(`v0:${requestTimestamp}:${body}`);
  if (!`v0=${hmac.digest("hex")}`.startsWith(requestSignature)) {
    return { statusCode: 401, body: "invalid signature" };
  }

  const form = new URLSearchParams(body);
  await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: form.get("text") }));
  return { statusCode: 200, body: "" };
};
