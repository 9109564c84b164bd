// A callback, the SDK's second version, an equality, and no look at the clock.
const crypto = require("crypto");
const AWS = require("aws-sdk");

const sns = new AWS.SNS();

exports.handler = (event, context, callback) => {
  const headers = event.headers || {};
  const stamp = headers["X-Slack-Request-Timestamp"] || headers["x-slack-request-timestamp"];
  const given = headers["X-Slack-Signature"] || headers["x-slack-signature"];
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const made = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update("v0:" + stamp + ":" + body);
  if ("v0=" + made.digest("hex") !== given) {
    callback(null, { statusCode: 401, body: "" });
    return;
  }
  sns.publish({ TopicArn: process.env.TOPIC_ARN, Message: "go" }, (error) => {
    callback(null, { statusCode: error ? 500 : 200, body: "" });
  });
};
