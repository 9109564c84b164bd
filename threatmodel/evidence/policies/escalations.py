"""Rights that lead to more rights: the ways of a public table, and the writes that no way of it explains.

`escalations.json` has the ways that public lists know, each with their ids, and our own (scripts/iam_escalations.py
writes it).  A list ends somewhere, so that a right to change identities, code or what is deployed, or who may do what,
is no proof of "no way" where the table is silent: it is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from threatmodel.evidence.policies.iam import IamAction, known_service
from threatmodel.reading.problems import Place
from threatmodel.reading.tables import table

UNKNOWN_LEVEL = "unknown"
"""The level of an action that the table of actions does not have."""


class Way(NamedTuple):
    """Actions that together lead to more permissions, and their ids in public lists (none for one of the project's)."""

    actions: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def cited(self) -> str:
        """The actions as a note names them, with the first id of each list."""
        first: dict[str, str] = {}
        for one in self.ids:
            source, _, name = one.partition(":")
            first.setdefault(_SOURCES[source], name)
        ids = ", ".join(f"{source} {name}" for source, name in first.items())
        return (
            " with ".join(self.actions[:2])
            + "".join(f", {one}" for one in self.actions[2:])
            + (f" ({ids})" if ids else "")
        )


_SOURCES = {"cloudsplaining": "cloudsplaining", "pathfinding": "pathfinding.cloud", "rhino": "Rhino"}


@cache
def ways() -> tuple[Way, ...]:
    """Every way of the table: IAM's own first, then what needs fewest actions."""
    raw = table(__file__, "escalations.json")
    return tuple(Way(tuple(row["actions"].split()), tuple(row["ids"])) for row in raw["ways"])


class Escalation(NamedTuple):
    """A way to more rights, and where each of its actions is allowed."""

    way: Way
    places: tuple[Place, ...]


def escalations(where: Mapping[str, Place]) -> Iterator[Escalation]:
    """The ways that actions (in small letters, with their places) make; none that holds another one whole."""
    made = [way for way in ways() if all(action.lower() in where for action in way.actions)]
    for way in made:
        if not any(set(one.actions) < set(way.actions) for one in made):
            larger = (one.ids for one in made if set(way.actions) < set(one.actions))
            cited = way if way.ids else way._replace(ids=next(filter(None, larger), ()))
            yield Escalation(cited, tuple(dict.fromkeys(where[action.lower()] for action in way.actions)))


# --- what no way explains

_ANY = r"\w+"
_CHANGES_RIGHTS: Mapping[str, str] = {
    # identity
    "iam": _ANY,
    "sts": (
        r"(?!AssumeRole(WithSAML|WithWebIdentity)\Z|DecodeAuthorizationMessage|Set|TagSession|GetCaller|GetAccessKeyInfo)\w+"
    ),
    "sso": _ANY,
    "sso-directory": _ANY,
    "identitystore": _ANY,
    "organizations": _ANY,
    "rolesanywhere": _ANY,
    "ram": _ANY,
    "account": _ANY,
    "cognito-idp": (
        r"Admin(AddUserToGroup|CreateUser|EnableUser|InitiateAuth|LinkProviderForUser|RespondToAuthChallenge|ResetUserPassword"
        r"|SetUser(Password|MFAPreference)|UpdateUserAttributes)|(Create|Update)(Group|IdentityProvider|UserPool\w*)"
        r"|AddUserPoolClientSecret"
    ),
    "cognito-identity": r"(?!GetId\Z|MergeDev|Unlink|DeleteIdentities)\w+",
    # what is deployed, and code
    "amplify": _ANY,
    "apigateway": r"(?!DELETE|Remove|Reject)\w+",
    "apprunner": _ANY,
    "cloudformation": r"(?!SignalResource|CancelResourceRequest|RecordHandlerProgress)\w+",
    "codeartifact": _ANY,
    "codebuild": r"(?!StopBuild|BatchPut(TestCases|CodeCoverages)|(Create|Update)Report\Z)\w+",
    "codecommit": r"(?!Post|PutCommentReaction|UpdateComment|DeleteComment)\w+",
    "codeconnections": _ANY,
    "codedeploy": r"(?!PutLifecycleEventHookExecutionStatus|StopDeployment)\w+",
    "codepipeline": r"(?!Put(ThirdParty)?Job|AcknowledgeJob|PollForJobs|StopPipelineExecution)\w+",
    "codestar": _ANY,
    "codestar-connections": _ANY,
    "ecr": r"(?!GetAuthorizationToken|BatchCheckLayer)\w+",
    "ecr-public": _ANY,
    "elasticbeanstalk": _ANY,
    "events": (
        r"(?!Put(Partner|Raw)?Events\Z|InvokeApiDestination|RetrieveConnectionCredentials"
        r"|(Delete|Remove|Disable|Deactivate|Cancel|Revoke)\w+)\w+"
    ),
    "imagebuilder": _ANY,
    "lambda": (
        r"(?!Invoke\w*|CheckpointDurable|SendDurable|StopDurable|Delete\w+|RemovePermission|RemoveLayer"
        r"|Put(FunctionConcurrency|FunctionRecursion|FunctionScaling|ProvisionedConcurrency))\w+"
    ),
    "proton": _ANY,
    "serverlessrepo": _ANY,
    "servicecatalog": _ANY,
    # what runs as a role
    "batch": r"(?!CancelJob|TerminateJob|TerminateServiceJob)\w+",
    "bedrock-agentcore": (
        r"(?!(BatchCreate|BatchDelete|BatchUpdate|Delete)Memory|CreateEvent|DeleteEvent|InvokeAgentRuntime(?!Command)"
        r"|InvokeGateway|Stop\w+|GetWorkload|StartMemory|Evaluate)\w+"
    ),
    "braket": _ANY,
    "cloudshell": _ANY,
    "appsync": r"(?!Delete|Flush|Disassociate|Event|(Source)?GraphQL\Z|\w*WebACL)\w+",
    "athena": (
        r"(?!Export|Stop|Terminate|Delete)\w*(Session|CalculationExecution|NotebookMetadata|NotebookUrl|WorkGroup)|(Import|Update)Notebook"
    ),
    "autoscaling": r"(Create|Update)(LaunchConfiguration|AutoScalingGroup)",
    "bedrock": r"(?!Invoke|Delete|Stop|Retrieve|Agentic|Disassociate)\w*(Agent|Flow)(?!Memory)\w*",
    "config": r"(Put|Start)\w*(Remediation|ConformancePack|ConfigRule)\w*",
    "datapipeline": _ANY,
    "ec2": (
        r"(Run|RequestSpot|CreateFleet|ModifyFleet|ModifySpot|CreateReplaceRoot|ImportKeyPair|CreateKeyPair|AttachVolume"
        r"|ModifyInstanceAttribute|CreateLaunchTemplate|ModifyLaunchTemplate)\w*|\w*IamInstanceProfile\w*"
    ),
    "ec2-instance-connect": _ANY,
    "ecs": (
        r"(?!Submit\w+|Poll|DiscoverPoll|StartTelemetry|Stop\w+|Delete\w+|Put\w+|RegisterContainerInstance"
        r"|DeregisterContainerInstance|UpdateContainer\w+|UpdateTaskProtection)\w+"
    ),
    "eks": _ANY,
    "elasticmapreduce": _ANY,
    "emr-containers": _ANY,
    "emr-serverless": _ANY,
    "gamelift": (r"(CreateBuild|CreateFleet|UpdateBuild|RequestUpload|GetInstanceAccess|GetComputeAccess)\w*"),
    "glue": r"\w*(Job|Trigger|DevEndpoint|Session|Statement|Workflow|Blueprint|Crawler|Notebook)\w*",
    "kafkaconnect": _ANY,
    "kinesisanalytics": _ANY,
    "omics": r"\w*(Workflow|Run)\w*",
    "iot": r"(CreateKeysAndCertificate|CreateCertificateFromCsr|RegisterCertificate|RegisterThing)\w*",
    "pipes": _ANY,
    "sagemaker": r"(?!Invoke|Stop)\w*(Job|Notebook|Pipeline|Endpoint|Presigned|App|Space)\w*",
    "scheduler": r"(?!Delete)\w+",
    "ssm": (
        r"(?!(Delete|Cancel|Deregister|Disassociate|Stop|Terminate|Reset|Unlabel|Label|Associate)\w+|\w*(Ops|Patch)\w+"
        r"|Put(Parameter|Inventory|ComplianceItems|Calendar|ConfigurePackageResult)\Z|StartAccessRequest"
        r"|Update(Instance\w+|AssociationStatus)\Z|RegisterTarget|CreateResourceDataSync|UpdateResourceDataSync)\w+"
    ),
    "signer": r"(?!Cancel|Revoke|Remove)\w+",
    "states": (
        r"(?!(Start|StartSync|Stop|Redrive)Execution|Send|GetActivityTask|CreateActivity|Delete|UpdateMapRun"
        r"|InvokeHTTPEndpoint)\w+"
    ),
    "synthetics": r"(Create|Update|Start)Canary\w*",
}
"""Services of identity, code and deployment, and those that run given code as a role: by name, the actions that
need an explanation before they are called harmless (patterns, compiled where a service is met).  The others only use
what is there, or end it."""

_GIVES_RIGHTS = re.compile(
    r"(?!PutObject|PutBucketPublic)(Put|Set|Update|Create|Add|Attach|Modify|Assume)\w*"
    r"(Policy(Version)?|Permissions?|Acl|AccessProfile|Grants?|Grants?[A-Z]\w*)\Z"
    r"|Set(Queue|Topic)Attributes|Delete\w*Policy\Z"
)
"""Actions of the other services that change who may do what with a resource, the role itself included; a policy that is
gone denies nothing any more."""

_LOOKS = re.compile(
    r"(?!get\w*(cred|token|session)|getinstanceaccess)"
    r"(batchget|get|list|describe|lookup|search|query|check|validate|head|view|read|count|preview|simulate)[a-z*?]"
)


def unexplained(action: IamAction, explained: Iterable[str]) -> bool:
    """Whether an action changes identities, code, what is deployed or who may do what, and is in no way that is known.

    `explained` are the actions of the ways that were found: these say more.
    """
    return action.name not in explained and _changes_rights(action)


_RIGHTS_AT_ANY_LEVEL = re.compile(r"iam:(Un)?Tag|sts:Get")
"""Tags decide rights where policies ask for them; tokens are rights."""


@lru_cache(maxsize=16384)
def _changes_rights(action: IamAction) -> bool:
    service, _, verb = action.name.partition(":")
    if action.level == UNKNOWN_LEVEL:
        other = known_service(service.lower()) and service.lower() not in _CHANGES_RIGHTS
        return not other and not _LOOKS.match(verb.lower())  # of a service that the table has in part or not at all
    if service in _CHANGES_RIGHTS:
        changes = action.level in {"write", "permissions"} or _RIGHTS_AT_ANY_LEVEL.match(action.name) is not None
        if changes and not _LOOKS.match(verb.lower()) and re.match(_CHANGES_RIGHTS[service], verb) is not None:
            return True
    return action.level == "permissions" and _GIVES_RIGHTS.match(verb) is not None
