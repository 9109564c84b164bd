const crypto = require("crypto");
const querystring = require("querystring");
const { SNSClient, PublishCommand } = require("@aws-sdk/client-sns");

const sns = new SNSClient({});

const rules = {
  headers: ({ timestamp, signature }) => Boolean(timestamp && signature),
  age: ({ timestamp }) => Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300,
  signature: ({ timestamp, signature, body }) => {
    const [, given] = /^v0=([0-9a-f]{64})$/.exec(signature || "") || [];
    if (!given) return undefined;
    const mac = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`);
    return crypto.timingSafeEqual(mac.digest(), Buffer.from(given, "hex"));
  },
};

function violated(request) {
  return Object.keys(rules).filter((name) => rules[name](request) === false);
}

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const errors = violated({
    body,
    timestamp: event.headers["x-slack-request-timestamp"],
    signature: event.headers["x-slack-signature"],
  });
  if (errors.length > 0) return { statusCode: 401, body: errors.join(", ") };
  const { text } = querystring.parse(body);
  await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: text }));
  return { statusCode: 200, body: "Published" };
};
