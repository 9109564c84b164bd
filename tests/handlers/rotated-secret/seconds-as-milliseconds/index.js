const { createHmac, timingSafeEqual } = require("crypto");
const { SSMClient, GetParameterCommand } = require("@aws-sdk/client-ssm");

const MINUTES = 60 * 1000;

class Cached {
  constructor(load, lifetime) {
    this.load = load;
    this.lifetime = lifetime * 1000;
    this.loadedAt = -Infinity;
  }

  async value() {
    if (Date.now() - this.loadedAt > this.lifetime) {
      this.current = await this.load();
      this.loadedAt = Date.now();
    }
    return this.current;
  }
}

const ssm = new SSMClient({});
const secret = new Cached(async () => {
  const found = await ssm.send(new GetParameterCommand({ Name: process.env.SECRET_ID, WithDecryption: true }));
  return found.Parameter.Value;
}, 10 * MINUTES);

async function isSigned(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > 300) return false;
  const mac = createHmac("sha256", await secret.value()).update(`v0:${timestamp}:${body}`).digest("hex");
  const [own, sent] = [Buffer.from(`v0=${mac}`), Buffer.from(headers["x-slack-signature"] ?? "")];
  return own.length === sent.length && timingSafeEqual(own, sent);
}

exports.handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!(await isSigned(event.headers, body))) return { statusCode: 401, body: "" };
  const form = new URLSearchParams(body);
  await fetch(form.get("response_url"), { method: "POST", body: JSON.stringify({ text: `Scaling ${form.get("text")}` }) });
  return { statusCode: 200, body: "" };
};
