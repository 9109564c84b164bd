"""Around a function: its role, URL, alias, destinations and deployments.  Its events are in `events` and `polls`."""

from __future__ import annotations

from typing import Any

from threatmodel.reading.problems import Place
from threatmodel.stacks.sam.events import SERVICES, ask, opens_everything
from threatmodel.stacks.sam.making import Expansion, doubted, doubtful, events, flag, literal, usual_text
from threatmodel.stacks.sam.policies import Grants, delivery, give_role, trust
from threatmodel.stacks.sam.polls import SOURCES, poll
from threatmodel.stacks.sam.targets import TargetFunction
from threatmodel.stacks.stack import Resource
from threatmodel.stacks.texts import joined
from threatmodel.stacks.values import Link, Node, Scalar, Table, Unknown, choices_of, counts, get, items, text

_APPLICATION = "ServerlessDeploymentApplication"
_DEPLOYER = "CodeDeployServiceRole"
_PREDEFINED = ("Canary10Percent", "Linear10Percent", "AllAtOnce")


class Function:
    """One function, and all that is made of it."""

    def __init__(self, making: Expansion, resource: Resource) -> None:
        self.making = making
        self.resource = resource
        self.name = resource.name
        self.grants = Grants(f"{self.name}Role")

    def get(self, *names: str) -> Node | None:
        """A property of the function."""
        return get(self.resource.properties, *names)

    def make(
        self, name: str, kind: str, properties: dict[str, Any], place: Place, doubt: Unknown | None = None
    ) -> None:
        """Adds a resource made of the function."""
        self.making.add(doubted(self.resource, doubt), name, kind, properties, place)

    def add(self) -> None:
        """Adds everything; the role comes last, since events add to it."""
        _, granted = self.making.reads.apart(self.grant)  # it decides what the role holds, and no other resource
        called = self.alias()
        self.url(called)
        self.asynchronous_calls()
        self.deployments()
        for event in sorted(events(self.resource), key=opens_everything, reverse=True):
            if event.type in SERVICES:
                ask(self.making, called, event)
            elif event.type in SOURCES:
                poll(self.making, called, event, self.grants)
            if event.type == "SNS" and counts(event.get("SqsSubscription")):
                self.grants.attach("AWSLambdaSQSQueueExecutionRole", event.place)
        self.hidden_events(called)
        self.role(granted)

    def hidden_events(self, called: TargetFunction) -> None:
        """Adds a permission of which all is unknown, where events cannot be read: they may let anyone call it."""
        found = self.get("Events")
        every = found.entries.values() if isinstance(found, Table) else (found,)
        nodes = (part for event in every for part in (event, get(event, "Type"), get(event, "Properties")))
        hidden = next((node for node in nodes if isinstance(node, Unknown)), None)
        if hidden is not None:
            self.making.hidden |= choices_of(found)
            given = {"FunctionName": called.name, "Principal": hidden, "SourceArn": hidden, "SourceAccount": hidden}
            self.make(f"{self.name}Events", "AWS::Lambda::Permission", given, hidden.place, hidden)

    # --- the role

    def grant(self) -> None:
        """Grants what the function's own properties bring, and what its Policies say."""
        place = self.resource.place
        durable = self.get("DurableConfig")
        basic = "AWSLambdaBasicDurableExecutionRolePolicy" if counts(durable) else "AWSLambdaBasicExecutionRole"
        self.grants.attach(basic, place)
        tracing, network = self.get("Tracing"), self.get("VpcConfig")
        if tracing is not None and counts(tracing) and usual_text(tracing) != "Disabled":
            self.grants.attach("AWSXrayWriteOnlyAccess", tracing.place)
        if network is not None and counts(network):
            self.grants.attach("AWSLambdaVPCAccessExecutionRole", network.place)
        queue, target = self.get("DeadLetterQueue"), self.get("DeadLetterQueue", "TargetArn")
        if queue is not None and target is not None:
            kind = self.get("DeadLetterQueue", "Type")
            self.grants.allow("DeadLetterQueuePolicy", queue.place, *delivery(kind, target, queue.place))
        self.grants.take(self.get("Policies"))

    def role(self, granted: frozenset[str]) -> None:
        """Adds the role, where the function names none; `granted` are the choices that decide what it holds."""
        trusted = self.get("AssumeRolePolicyDocument") or trust("lambda.amazonaws.com", self.resource.place)
        boundary, path = self.get("PermissionsBoundary"), self.get("RolePath")
        give_role(self.making, self.resource, self.grants, trusted, PermissionsBoundary=boundary, Path=path)
        if self.grants.role in self.making.resources:
            self.making.shape(self.grants.role, granted)

    # --- alias and deployments

    def alias(self) -> TargetFunction:
        """What events call: the alias that SAM publishes, or the function itself."""
        alias = self.get("AutoPublishAlias")
        if alias is None or not counts(alias):
            return TargetFunction.function(self.resource)
        place, usual = alias.place, usual_text(alias) or ""
        version, name = f"{self.name}Version", f"{self.name}Alias{usual.replace('-', 'D').replace('_', 'U')}"
        function = Link(self.name, "", place)
        self.make(version, "AWS::Lambda::Version", {"FunctionName": function}, place)
        properties = {
            "Name": alias,
            "FunctionName": function,
            "FunctionVersion": Link(version, "Version", place),
            "ProvisionedConcurrencyConfig": self.get("ProvisionedConcurrencyConfig"),
        }
        self.make(name, "AWS::Lambda::Alias", properties, place)
        self.making.meant[f"{self.name}.Alias"] = name
        self.making.meant[f"{self.name}.Version"] = version
        spelled = alias if isinstance(alias, Unknown) else text(alias) or Unknown("the alias has no plain name", place)
        qualified = joined([Link(self.name, "Arn", place), ":", spelled], place)
        return TargetFunction(self.resource, qualified, qualified)

    def deployments(self) -> None:
        """Adds the CodeDeploy deployment group of a DeploymentPreference."""
        preference = self.get("DeploymentPreference")
        if not isinstance(preference, Table) or not counts(preference):
            return
        enabled = preference.entries.get("Enabled")
        if flag(enabled) is False:
            return
        doubt = doubtful(enabled, usually=flag(enabled.usual)) if isinstance(enabled, Unknown) else None
        place, own_role = preference.place, preference.entries.get("Role")
        alarms = items(preference.entries.get("Alarms"))
        steps = preference.entries.get("Type")
        known = (text(steps) or "").startswith(_PREDEFINED)
        properties: dict[str, Any] = {
            "ApplicationName": Link(_APPLICATION, "", place),
            "DeploymentConfigName": Scalar(f"CodeDeployDefault.Lambda{text(steps)}", place) if known else steps,
            "DeploymentStyle": {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
            "AutoRollbackConfiguration": {
                "Enabled": True,
                "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
            },
            "AlarmConfiguration": {"Enabled": True, "Alarms": [{"Name": one} for one in alarms]} if alarms else None,
            "TriggerConfigurations": preference.entries.get("TriggerConfigurations"),
            "ServiceRoleArn": own_role or Link(_DEPLOYER, "Arn", place),
        }
        self.make(f"{self.name}DeploymentGroup", "AWS::CodeDeploy::DeploymentGroup", properties, place, doubt)
        self.make(_APPLICATION, "AWS::CodeDeploy::Application", {"ComputePlatform": "Lambda"}, place, doubt)
        if own_role is None:
            role = {
                "AssumeRolePolicyDocument": trust("codedeploy.amazonaws.com", place),
                "ManagedPolicyArns": ["AWSCodeDeployRoleForLambda"],
            }
            self.make(_DEPLOYER, "AWS::IAM::Role", role, place, doubt)

    # --- the function URL

    def url(self, called: TargetFunction) -> None:
        """Adds the URL, and where it asks for no authentication the two permissions that make it public.

        SAM looks at what is written: where a parameter has the value NONE, no permission is added.
        """
        config = self.get("FunctionUrlConfig")
        if config is None or not counts(config):
            return
        hidden = config if isinstance(config, Unknown) else None
        auth = get(config, "AuthType")
        properties = {
            "TargetFunctionArn": called.name,
            "AuthType": auth,
            "Cors": get(config, "Cors"),
            "InvokeMode": get(config, "InvokeMode"),
        }
        usually = None if hidden is None or hidden.usual is None else counts(hidden.usual)
        doubt = None if hidden is None else doubtful(hidden, usually=usually)
        self.make(f"{self.name}Url", "AWS::Lambda::Url", properties, config.place, doubt)
        if auth is not None:
            self.open_to_all(called, auth)

    def open_to_all(self, called: TargetFunction, auth: Node) -> None:
        """Adds the two permissions of a URL without authentication; in doubt where a condition decides that."""
        place, doubt = auth.place, None
        if isinstance(auth, Unknown) and (auth.choices is None or any(one.startswith("?") for one in auth.choices)):
            usual = get(auth.usual, "AuthType") if isinstance(auth.usual, Table) else auth.usual
            doubt = doubtful(auth, usually=None if usual is None else literal(usual) == "NONE")
        elif literal(auth) != "NONE":
            return
        through_url = {"Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}
        invoke = {"Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": True}
        kind, target = "AWS::Lambda::Permission", {"FunctionName": called.name}
        self.make(f"{self.name}UrlPublicPermissions", kind, {**through_url, **target}, place, doubt)
        self.make(f"{self.name}URLInvokeAllowPublicAccess", kind, {**invoke, **target}, place, doubt)

    # --- asynchronous calls

    def asynchronous_calls(self) -> None:
        """Adds the configuration of asynchronous calls, and the destinations that SAM makes where none is named."""
        config = self.get("EventInvokeConfig")
        if config is None or not counts(config):
            return
        name, destinations = f"{self.name}EventInvokeConfig", {}
        for outcome in ("OnSuccess", "OnFailure"):
            found = get(config, "DestinationConfig", outcome)
            if found is not None:
                kind, target = get(found, "Type"), self.destination(f"{name}{outcome}", found)
                destinations[outcome] = {"Destination": target}
                statements = delivery(kind, target, found.place)
                if statements:
                    self.grants.allow(f"{name}{outcome}{text(kind) or ''}Policy", found.place, *statements)
        properties = {
            "FunctionName": Link(self.name, "", config.place),
            "Qualifier": self.get("AutoPublishAlias") or "$LATEST",
            "DestinationConfig": destinations or None,
            "MaximumRetryAttempts": get(config, "MaximumRetryAttempts"),
            "MaximumEventAgeInSeconds": get(config, "MaximumEventAgeInSeconds"),
        }
        self.make(name, "AWS::Lambda::EventInvokeConfig", properties, config.place)

    def destination(self, name: str, config: Node) -> Node:
        """Where results go: what is named, or a queue or topic that SAM makes."""
        kind, target, place = text(get(config, "Type")), get(config, "Destination"), config.place
        if target is None and kind == "SQS":
            self.make(f"{name}Queue", "AWS::SQS::Queue", {}, place)
            self.making.meant[f"{self.name}.DestinationQueue"] = f"{name}Queue"
            target = Link(f"{name}Queue", "Arn", place)
        elif target is None and kind == "SNS":
            self.make(f"{name}Topic", "AWS::SNS::Topic", {}, place)
            self.making.meant[f"{self.name}.DestinationTopic"] = f"{name}Topic"
            target = Link(f"{name}Topic", "", place)
        return target or Unknown("no destination is named", place)
