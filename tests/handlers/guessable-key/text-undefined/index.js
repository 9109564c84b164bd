const { createHmac, timingSafeEqual } = require("crypto");

const KEY = Buffer.from(`${process.env.SLACK_SIGNING_SECRET}`.trim(), "utf8");

function requireSignature(handle) {
  return async (event) => {
    const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
    const time = event.headers["x-slack-request-timestamp"];
    const sent = Buffer.from(event.headers["x-slack-signature"] || "");
    const own = Buffer.from("v0=" + createHmac("sha256", KEY).update(`v0:${time}:${body}`).digest("hex"));
    const inTime = Math.abs(Date.now() / 1000 - Number(time)) <= 300;
    if (!inTime || own.length !== sent.length || !timingSafeEqual(own, sent)) {
      return { statusCode: 401, body: "" };
    }
    return handle(new URLSearchParams(body));
  };
}

exports.handler = requireSignature(async (form) => {
  await fetch(form.get("response_url"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ response_type: "in_channel", text: `Deploying ${form.get("text")}` }),
  });
  return { statusCode: 200, body: "" };
});
