import { createHmac, timingSafeEqual } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});


const ok = (value) => ({ then: (step) => step(value), end: (good) => good(value) });
const refused = (statusCode) => ({ then: () => refused(statusCode), end: () => ({ statusCode, body: "" }) });
const when = (test, status = 401) => (request) => (test(request) ? ok(request) : refused(status));

const mac = ({ stamp, raw }) =>
  Buffer.from(`v0=${createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${stamp}:`).update(raw).digest("hex")}`);

const hasStamp = when(({ stamp }) => /^\d{10}$/.test(stamp));
const isRecent = when(({ stamp }) => Math.abs(Date.now() / 1000 - Number(stamp)) <= 300);
const hasKey = when(() => Boolean(process.env.SLACK_SIGNING_SECRET), 500);
const isSigned = when((request) => {
  const own = mac(request);
  return own.length === request.given.length && timingSafeEqual(own, request.given);
});

export const handler = async (event) => {
  const headers = Object.fromEntries(Object.entries(event.headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
  const raw = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  const request = { raw, stamp: headers["x-slack-request-timestamp"] ?? "", given: Buffer.from(headers["x-slack-signature"] ?? "") };
  return hasKey(request)
    .then(hasStamp)
    .then(isRecent)
    .then(isSigned)
    .end(async () => {
      await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: raw.toString("latin1") }));
      return { statusCode: 200, body: "" };
    });
};
