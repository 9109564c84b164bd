const { createHmac, timingSafeEqual } = require("node:crypto");
const qs = require("node:querystring");

const cookiesOf = (event) =>
  Object.fromEntries((event.cookies || []).map((cookie) => cookie.split("=").map(decodeURIComponent)));

function guard(handle) {
  return async (event) => {
    const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
    const timestamp = event.headers["x-slack-request-timestamp"];
    const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`);
    const ours = Buffer.from(`v0=${mac.digest("hex")}`);
    const theirs = Buffer.from(event.headers["x-slack-signature"] || "");
    const fresh = Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
    if (!fresh || ours.length !== theirs.length || !timingSafeEqual(ours, theirs)) {
      return { statusCode: 401, body: "unauthorized" };
    }
    return handle({ form: qs.parse(body), session: cookiesOf(event) });
  };
}

exports.handler = guard(async ({ form, session }) => {
  const [service, stage] = form.text.split(" ");
  const target = session.stage || stage;
  await fetch(form.response_url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: `${service} -> ${target}` }),
  });
  return { statusCode: 200, body: "", cookies: [`stage=${target}; Secure; HttpOnly`] };
});
