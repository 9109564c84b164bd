import { createHmac, timingSafeEqual } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});


/** Reads an event of any of the APIs with one set of names. */
const view = (event) =>
  new Proxy(event, {
    get(target, name) {
      switch (name) {
        case "method":
          return target.requestContext?.http?.method ?? target.httpMethod ?? "GET";
        case "raw":
          return Buffer.from(target.body ?? "", target.isBase64Encoded ? "base64" : "utf8");
        default:
          for (const [header, value] of Object.entries(target.headers ?? {}))
            if (header.toLowerCase() === name) return value;
          return "";
      }
    },
  });

const age = (stamp) => (/^\d{10}$/.test(stamp) ? Math.abs(Math.floor(Date.now() / 1000) - Number(stamp)) : Infinity);

export const handler = async (event) => {
  const request = view(event);
  if (request.method !== "POST") return { statusCode: 405, body: "" };
  const secret = process.env.SLACK_SIGNING_SECRET;
  if (!secret || age(request["x-slack-request-timestamp"]) > 300) return { statusCode: 401, body: "" };
  const base = Buffer.concat([Buffer.from(`v0:${request["x-slack-request-timestamp"]}:`), request.raw]);
  const own = Buffer.from(`v0=${createHmac("sha256", secret).update(base).digest("hex")}`);
  const given = Buffer.from(request["x-slack-signature"]);
  if (own.length !== given.length || !timingSafeEqual(own, given)) return { statusCode: 401, body: "" };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: request.raw.toString() }));
  return { statusCode: 200, body: "" };
};
