"""The events of a serverless.yml by which a queue, a stream, a broker, a topic or a bucket starts a function."""

from __future__ import annotations

from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.sam.policies import NETWORK_ACTIONS
from threatmodel.stacks.sam.targets import sender_document
from threatmodel.stacks.serverless.making import (
    Function,
    GrowingTemplate,
    attribute,
    either,
    flag,
    get,
    join,
    last_name,
    plain,
    ref,
    sub,
    switched,
)
from threatmodel.stacks.serverless.names import logical, upper_first
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, entries, items, text


def _arn(config: Node) -> Node:
    """The ARN that an event names, as its whole value or as ``arn``."""
    if isinstance(config, Table) and "arn" in config.entries:
        return config.entries["arn"]
    return config


# --- what is polled


def _mapping(  # noqa: PLR0913, PLR0917 - an event, the name and service of what is made of it
    making: GrowingTemplate, function: Function, name: str, service: str, config: Node, place: Place, **own: Any
) -> None:
    """An event source mapping that polls a service, with the settings that all kinds share."""
    patterns = get(config, "filterPatterns")
    response = get(config, "functionResponseType")
    concurrency = get(config, "maximumConcurrency")
    failure = get(config, "destinations", "onFailure")
    properties: dict[str, Any] = {
        "FunctionName": function.target,
        "Enabled": switched(config, "enabled", place),
        "BatchSize": get(config, "batchSize"),
        "MaximumBatchingWindowInSeconds": either(get(config, "maximumBatchingWindow"), get(config, "batchWindow")),
        "MaximumRetryAttempts": entries(config).get("maximumRetryAttempts"),
        "FunctionResponseTypes": [response] if response is not None else None,
        "ScalingConfig": {"MaximumConcurrency": concurrency} if concurrency is not None else None,
        "FilterCriteria": {"Filters": [{"Pattern": one} for one in items(patterns)]} if patterns is not None else None,
        "DestinationConfig": {"OnFailure": {"Destination": _arn(failure)}} if failure is not None else None,
    }
    making.add(name, "AWS::Lambda::EventSourceMapping", place, {**properties, **own}, function.id)
    making.polls[name] = service
    if failure is not None:
        to_topic = text(get(failure, "type")) == "sns" or ":sns:" in (text(_arn(failure)) or "")
        actions = ["sns:Publish"] if to_topic else ["sqs:ListQueues", "sqs:SendMessage"]
        making.grant(failure.place, actions, [_arn(failure)])


def sqs(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``sqs``: a queue."""
    arn = _arn(config)
    name = f"{logical(function.name)}EventSourceMappingSQS{plain(last_name(arn)) or number}"
    _mapping(making, function, name, "sqs", config, place, EventSourceArn=arn)
    making.grant(place, ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], [arn])


def stream(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``stream``: a table's changes or a Kinesis stream."""
    arn = _arn(config)
    kind = text(get(config, "type")) or ("kinesis" if ":kinesis:" in (text(arn) or "") else "dynamodb")
    called = last_name(arn) if kind == "kinesis" or text(arn) is None else (text(arn) or "").split("/")[1:2]
    spelled = plain(called if isinstance(called, str) else "".join(called)) or str(number)
    name = f"{logical(function.name)}EventSourceMapping{upper_first(kind)}{spelled}"
    start = either(get(config, "startingPosition")) or "TRIM_HORIZON"
    _mapping(making, function, name, kind, config, place, EventSourceArn=arn, StartingPosition=start)
    verbs = ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams")
    making.grant(place, [f"{kind}:{verb}" for verb in verbs], [arn])


def broker(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int, *, kind: str) -> None:  # noqa: PLR0913 - an event and its kind
    """``activemq`` and ``rabbitmq``."""
    queue, secret = get(config, "queue"), get(config, "basicAuthArn")
    name = f"{logical(function.name)}EventSourceMapping{kind}{plain(text(queue) or str(number))}"
    access = [{"Type": "BASIC_AUTH", "URI": secret}]
    _mapping(
        making, function, name, "mq", config, place,
        EventSourceArn=_arn(config), Queues=[queue], SourceAccessConfigurations=access,
    )  # fmt: skip
    if secret is not None:
        making.grant(place, ["secretsmanager:GetSecretValue"], [secret])
    making.grant(place, ["mq:DescribeBroker"], [_arn(config)])
    making.grant(place, NETWORK_ACTIONS, "*")


def msk(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``msk``: a managed Kafka cluster."""
    arn, topic = _arn(config), get(config, "topic")
    cluster = (text(arn) or "").split("/")[1:2] or [last_name(arn)]
    spelled = f"{plain(cluster[0])}{plain(text(topic) or '')}" or str(number)
    start = either(get(config, "startingPosition")) or "TRIM_HORIZON"
    _mapping(
        making, function, f"{logical(function.name)}EventSourceMappingMSK{spelled}", "kafka", config, place,
        EventSourceArn=arn, Topics=[topic], StartingPosition=start,
    )  # fmt: skip
    making.grant(place, ["kafka:DescribeCluster", "kafka:GetBootstrapBrokers"], [arn])
    making.grant(place, NETWORK_ACTIONS, "*")


_ACCESS = {
    "saslPlainAuth": "BASIC_AUTH",
    "saslScram256Auth": "SASL_SCRAM_256_AUTH",
    "saslScram512Auth": "SASL_SCRAM_512_AUTH",
    "clientCertificateTlsAuth": "CLIENT_CERTIFICATE_TLS_AUTH",
    "serverRootCaCertificate": "SERVER_ROOT_CA_CERTIFICATE",
}


def kafka(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``kafka``: a self-managed cluster."""
    topic = get(config, "topic")
    access = entries(get(config, "accessConfigurations"))
    secrets = [one for name, child in access.items() if name in _ACCESS for one in items(child)]
    endpoints = {"Endpoints": {"KafkaBootstrapServers": get(config, "bootstrapServers")}}
    _mapping(
        making, function,
        f"{logical(function.name)}EventSourceMappingKafka{plain(text(topic) or str(number))}", "", config, place,
        Topics=[topic],
        SelfManagedEventSource=endpoints,
        SourceAccessConfigurations=[
            {"Type": kind, "URI": one} for name, kind in _ACCESS.items() for one in items(access.get(name))
        ],
        StartingPosition=either(get(config, "startingPosition")) or "TRIM_HORIZON",
    )  # fmt: skip
    if secrets:
        making.grant(place, ["secretsmanager:GetSecretValue"], secrets)
    if "vpcSubnet" in access:
        making.grant(place, NETWORK_ACTIONS, "*")


# --- topics and buckets


def sns(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``sns``: a topic of the service, or one that exists."""
    arn = get(config, "arn") or (config if ":" in (text(config) or "") else None)
    topic = text(get(config, "topicName")) or (last_name(arn) if arn is not None else text(config)) or str(number)
    subscription: dict[str, Any] = {"Protocol": "lambda", "Endpoint": function.target}
    policy = get(config, "redrivePolicy")
    subscription["FilterPolicy"] = get(config, "filterPolicy")
    if policy is not None:
        dead = get(policy, "deadLetterTargetArn")
        queue = text(get(policy, "deadLetterTargetRef"))
        target: Any = dead or (attribute(queue) if queue else Unknown("its queue is not in this file", place))
        subscription["RedrivePolicy"] = {"deadLetterTargetArn": target}
        if queue and arn is not None:
            _let_in(making, f"{plain(topic)}To{logical(function.name)}DLQPolicy", queue, arn, place)
    called = f"{logical(function.name)}SnsSubscription{plain(topic)}"
    source: Any = arn
    if arn is None:
        source = join(sub("arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:"), topic)
        name = f"SNSTopic{plain(topic)}"
        shared = making.share(name, "AWS::SNS::Topic", place, {"TopicName": topic, "Subscription": []})
        shared["DisplayName"] = shared.get("DisplayName") or get(config, "displayName")
        shared["KmsMasterKeyId"] = shared.get("KmsMasterKeyId") or get(config, "kmsMasterKeyId")
        if subscription["FilterPolicy"] is None and policy is None:
            shared["Subscription"].append({"Protocol": "lambda", "Endpoint": function.target})
        else:
            making.add(called, "AWS::SNS::Subscription", place, {"TopicArn": ref(name), **subscription}, function.id)
    else:
        making.add(called, "AWS::SNS::Subscription", place, {"TopicArn": arn, **subscription}, function.id)
    permission = f"{logical(function.name)}LambdaPermission{plain(topic)}SNS"
    making.permit(permission, function, place, "sns.amazonaws.com", SourceArn=source)


def _let_in(making: GrowingTemplate, name: str, queue: str, topic: Node, place: Place) -> None:
    """Lets a topic send to a queue of the service."""
    document = sender_document({"Service": "sns.amazonaws.com"}, topic, attribute(queue))
    properties = {"Queues": [ref(queue)], "PolicyDocument": document}
    making.add(name, "AWS::SQS::QueuePolicy", place, properties)


def s3(making: GrowingTemplate, function: Function, config: Node, place: Place, number: int) -> None:
    """``s3``: a bucket of the service, or one that exists."""
    bucket = get(config, "bucket") or config
    stated = text(bucket)
    name = stated or last_name(bucket) or str(number)
    declared = making.of_provider("s3", name)
    called = get(declared, "name") or (bucket._replace(place=place) if isinstance(bucket, Scalar) else bucket)
    existing = flag(entries(config).get("existing"), otherwise=False)
    configuration: dict[str, Any] = {
        "Event": either(get(config, "event")) or "s3:ObjectCreated:*",
        "Function": function.target,
    }
    rules = [
        {"Name": key, "Value": child} for rule in items(get(config, "rules")) for key, child in entries(rule).items()
    ]
    if rules:
        configuration["Filter"] = {"S3Key": {"Rules": rules}}
    if existing is False:
        shared = making.share(f"S3Bucket{plain(name)}", "AWS::S3::Bucket", place, {"BucketName": called})
        for key, child in entries(declared).items():
            shared.setdefault(upper_first(key), child) if key != "name" else None
        shared.setdefault("NotificationConfiguration", {"LambdaConfigurations": []})
        if isinstance(shared["NotificationConfiguration"], dict):
            shared["NotificationConfiguration"]["LambdaConfigurations"].append(configuration)
    else:
        custom = {"FunctionName": ref(function.id), "BucketName": called, "BucketConfigs": [configuration]}
        making.add(f"{logical(function.name)}CustomS31", "Custom::S3", place, custom, function.id)
    making.permit(
        f"{logical(function.name)}LambdaPermission{plain(name)}S3", function, place, "s3.amazonaws.com",
        SourceArn=join(sub("arn:${AWS::Partition}:s3:::"), called), SourceAccount=ref("AWS::AccountId"),
    )  # fmt: skip
