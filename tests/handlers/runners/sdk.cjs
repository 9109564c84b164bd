// Records what handlers send through the AWS SDK for JavaScript v3; knows secrets, parameters and items.

exports.effects = [];
exports.shared = { secrets: {}, tables: {} };

class ServiceError extends Error {
  constructor(name) {
    super(name);
    this.name = name;
  }
}

const plain = (value) => String(typeof value === "object" ? Object.values(value)[0] : value);

function secret(name) {
  const value = exports.shared.secrets[name];
  if (value.startsWith("error: ")) throw new ServiceError(value.slice("error: ".length));
  return value;
}

const known = {
  GetSecretValueCommand({ SecretId }) {
    if (!Object.hasOwn(exports.shared.secrets, SecretId)) throw new ServiceError("ResourceNotFoundException");
    return { SecretString: secret(SecretId) };
  },
  GetParameterCommand({ Name }) {
    if (!Object.hasOwn(exports.shared.secrets, Name)) throw new ServiceError("ParameterNotFound");
    return { Parameter: { Value: secret(Name) } };
  },
  GetItemCommand({ TableName, Key }) {
    return { Item: exports.shared.tables[TableName]?.[plain(Object.values(Key)[0])] };
  },
  PutItemCommand(given) {
    if (!given.ConditionExpression) return record("PutItemCommand", given);
    const table = (exports.shared.tables[given.TableName] ??= {});
    const key = plain(Object.values(given.Item)[0]);
    if (Object.hasOwn(table, key)) throw new ServiceError("ConditionalCheckFailedException");
    table[key] = given.Item;
    return {};
  },
};

function record(call, given) {
  const text = ([name, value]) => [name, value instanceof Uint8Array ? Buffer.from(value).toString() : value];
  exports.effects.push({ call, given: Object.fromEntries(Object.entries(given).map(text)) });
  return { StatusCode: 202 };
}

class Client {
  async send(command) {
    const name = command.constructor.name;
    return known[name] ? known[name](command.input) : record(name, command.input);
  }
}

class Command {
  constructor(input) {
    this.input = input;
  }
}

exports.LambdaClient = class LambdaClient extends Client {};
exports.SQSClient = class SQSClient extends Client {};
exports.SNSClient = class SNSClient extends Client {};
exports.SFNClient = class SFNClient extends Client {};
exports.SSMClient = class SSMClient extends Client {};
exports.EventBridgeClient = class EventBridgeClient extends Client {};
exports.DynamoDBClient = class DynamoDBClient extends Client {};
exports.SecretsManagerClient = class SecretsManagerClient extends Client {};
exports.InvokeCommand = class InvokeCommand extends Command {};
exports.SendMessageCommand = class SendMessageCommand extends Command {};
exports.PublishCommand = class PublishCommand extends Command {};
exports.StartExecutionCommand = class StartExecutionCommand extends Command {};
exports.PutEventsCommand = class PutEventsCommand extends Command {};
exports.GetParameterCommand = class GetParameterCommand extends Command {};
exports.GetSecretValueCommand = class GetSecretValueCommand extends Command {};
exports.GetItemCommand = class GetItemCommand extends Command {};
exports.PutItemCommand = class PutItemCommand extends Command {};
exports.UpdateItemCommand = class UpdateItemCommand extends Command {};
