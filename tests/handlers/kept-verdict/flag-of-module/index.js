const { createHmac, timingSafeEqual } = require("node:crypto");
const { SFNClient, StartExecutionCommand } = require("@aws-sdk/client-sfn");

const sfn = new SFNClient({});
let verified = false;

function check(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = headers["x-slack-signature"];
  if (timestamp && signature) {
    const own = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest();
    const sent = Buffer.from(signature.replace(/^v0=/, ""), "hex");
    verified =
      Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300 && own.length === sent.length && timingSafeEqual(own, sent);
  }
}

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  check(event.headers, body);
  if (!verified) return { statusCode: 401, body: "" };
  const input = JSON.stringify({ text: new URLSearchParams(body).get("text") });
  await sfn.send(new StartExecutionCommand({ stateMachineArn: process.env.STATE_MACHINE_ARN, input }));
  return { statusCode: 200, body: "Started" };
};
