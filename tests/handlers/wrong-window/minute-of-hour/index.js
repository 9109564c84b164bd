const crypto = require("crypto");

function minutesApart(a, b) {
  const apart = Math.abs(a.getUTCMinutes() - b.getUTCMinutes());
  return Math.min(apart, 60 - apart);
}

function verify(event, body) {
  const seconds = Number(event.headers["x-slack-request-timestamp"]);
  if (!Number.isInteger(seconds) || minutesApart(new Date(), new Date(seconds * 1000)) > 5) return false;
  const expected = crypto
    .createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(`v0:${seconds}:${body}`)
    .digest("hex");
  const [version, given = ""] = String(event.headers["x-slack-signature"]).split("=");
  if (version !== "v0" || given.length !== expected.length) return false;
  return crypto.timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  if (!verify(event, body)) return { statusCode: 401, body: "" };
  const form = new URLSearchParams(body);
  await fetch(form.get("response_url"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text: `Rolling back ${form.get("text")}` }),
  });
  return { statusCode: 200, body: "" };
};
