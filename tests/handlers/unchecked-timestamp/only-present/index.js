const crypto = require("crypto");
const { SNSClient, PublishCommand } = require("@aws-sdk/client-sns");

const sns = new SNSClient({});

const verifySignature = (event, body) => {
  const timestamp = event.headers["x-slack-request-timestamp"];
  const signature = event.headers["x-slack-signature"];

  if (!signature || !timestamp || isNaN(timestamp)) {
    return false;
  }

  const expected = "v0=" + crypto
    .createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(`v0:${timestamp}:${body}`)
    .digest("hex");

  return expected.length === signature.length
    && crypto.timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
};

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;

  if (!verifySignature(event, body)) {
    return { statusCode: 401, body: JSON.stringify({ error: "Invalid signature" }) };
  }

  const params = new URLSearchParams(body);
  await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: params.get("text") }));

  return { statusCode: 200, body: "Request received" };
};
