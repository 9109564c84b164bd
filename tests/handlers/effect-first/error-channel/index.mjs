import { createHmac, timingSafeEqual } from "node:crypto";

const OPERATORS = new Set(["/ops", "/oncall"]);

class SignatureError extends Error {
  constructor(reason, form) {
    super(reason);
    this.form = form;
  }
}

function verify(headers, body, form) {
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = headers["x-slack-signature"];
  if (!timestamp || !signature) throw new SignatureError("no signature", form);
  if (!(Math.abs(Date.now() / 1000 - timestamp) < 300)) throw new SignatureError("clock skew", form);
  const own = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex");
  const same = signature.length === own.length + 3 && timingSafeEqual(Buffer.from(signature), Buffer.from(`v0=${own}`));
  if (!same) throw new SignatureError("mismatch", form);
}

const post = (url, text) => fetch(url, { method: "POST", body: JSON.stringify({ text }) });

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const form = new URLSearchParams(body);
  try {
    verify(event.headers, body, form);
    await post(form.get("response_url"), `Deploying ${form.get("text")}`);
    return { statusCode: 200, body: "" };
  } catch (error) {
    if (error instanceof SignatureError && OPERATORS.has(error.form.get("command"))) {
      await post(error.form.get("response_url"), `Could not run "${error.form.get("text")}": ${error.message}`);
    }
    return { statusCode: 401, body: "" };
  }
};
