const crypto = require("crypto");
const { DynamoDBClient, UpdateItemCommand } = require("@aws-sdk/client-dynamodb");

const db = new DynamoDBClient({});
const READ_ONLY = ["refresh", "show_more"];

function verifySlack(event) {
  const header = (name) => event.headers[name] || event.headers[name.toLowerCase()] || "";
  const time = header("X-Slack-Request-Timestamp");
  if (!time || Math.abs(Date.now() / 1000 - Number(time)) > 300) return false;
  const sum = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${time}:${event.body}`);
  const own = Buffer.from("v0=" + sum.digest("hex"));
  const sent = Buffer.from(header("X-Slack-Signature"));
  return own.length === sent.length && crypto.timingSafeEqual(own, sent);
}

async function carryOut(action, user) {
  if (READ_ONLY.includes(action.action_id)) return;
  await db.send(
    new UpdateItemCommand({
      TableName: process.env.TABLE_NAME,
      Key: { id: { S: action.value } },
      UpdateExpression: "SET approved_by = :user",
      ExpressionAttributeValues: { ":user": { S: user } },
    }),
  );
}

exports.handler = (event, context, callback) => {
  const payload = JSON.parse(new URLSearchParams(event.body).get("payload"));
  const [first] = payload.actions;
  if (!READ_ONLY.includes(first.action_id) && !verifySlack(event)) {
    callback(null, { statusCode: 401, body: "" });
    return;
  }
  Promise.all(payload.actions.map((action) => carryOut(action, payload.user.id)))
    .then(() => callback(null, { statusCode: 200, body: "" }))
    .catch(callback);
};
