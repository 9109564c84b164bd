import { createHmac, timingSafeEqual } from "node:crypto";
import { SSMClient, GetParameterCommand } from "@aws-sdk/client-ssm";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
class Gate {
  #ssm = new SSMClient({}); #key = null; #until = 0; #passed = new WeakSet();
  async #secret() {
    if (Date.now() > this.#until) {
      const { Parameter } = await this.#ssm.send(new GetParameterCommand({ Name: process.env.SECRET_ID, WithDecryption: true }));
      if (!Parameter?.Value) throw new Error("no secret");
      [this.#key, this.#until] = [Parameter.Value, Date.now() + 60_000];
    }
    return this.#key;
  }
  async admit(request) {
    const { stamp, signature, body } = request;
    if (!/^\d{10}$/.test(stamp) || Math.abs(Date.now() - Number(stamp) * 1e3) > 3e5) return;
    const a = createHmac("sha256", await this.#secret()).update(`v0:${stamp}:${body}`).digest("base64");
    const b = Buffer.from(/^v0=([0-9a-f]{64})$/.exec(signature)?.[1] ?? "", "hex").toString("base64");
    if (a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))) this.#passed.add(request);
  }
  passed(request) { return this.#passed.has(request); }
}
const gate = new Gate(), sqs = new SQSClient({});
export async function handler(event) {
  const one = (n) => { const v = Object.keys(event.headers ?? {}).filter((k) => k.toLowerCase() === n); return v.length === 1 ? event.headers[v[0]] : ""; };
  const request = Object.freeze({ stamp: one("x-slack-request-timestamp"), signature: one("x-slack-signature"), body: event.body ?? "" });
  try { await gate.admit(request); } catch { return { statusCode: 503, body: "" }; }
  if (!gate.passed(request)) return { statusCode: 401, body: "" };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: request.body }));
  return { statusCode: 200, body: "" };
}
