import { createHmac, timingSafeEqual } from 'node:crypto';
import { SecretsManagerClient, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';

class Secrets {
  #client = new SecretsManagerClient({});

  async signing() {
    const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId: process.env.SECRET_ID }));
    const secret = JSON.parse(SecretString);
    return [`${secret.signing_secret}`, `${secret.former_signing_secret}`].filter((key) => key.length > 0);
  }
}

class Verifier {
  constructor(secrets) {
    this.secrets = secrets;
  }

  async accepts({ stamp, signature, body }) {
    if (!/^\d{1,12}$/.test(stamp) || Math.abs(Date.now() / 1000 - Number(stamp)) > 300) return false;
    const given = Buffer.from(signature);
    return (await this.secrets.signing()).some((key) => {
      const mine = Buffer.from(`v0=${createHmac('sha256', key).update(`v0:${stamp}:`).update(body).digest('hex')}`);
      return mine.length === given.length && timingSafeEqual(mine, given);
    });
  }
}

const verifier = new Verifier(new Secrets());
const sqs = new SQSClient({});

export const handler = async (event) => {
  const header = (name) => Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1] ?? '';
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  const accepted = await verifier.accepts({ stamp: header('x-slack-request-timestamp'), signature: header('x-slack-signature'), body });
  if (!accepted) return { statusCode: 401, body: 'unauthorized' };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: body.toString() }));
  return { statusCode: 200, body: '' };
};
