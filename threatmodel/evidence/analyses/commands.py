"""Whether what a function's role allows changes production: what a command in a chat may then do."""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Gathered, Outcome, yes
from threatmodel.evidence.policies.grants import Grant, allowing
from threatmodel.evidence.policies.permissions import held
from threatmodel.stacks.stack import Resource, Stack

_CHANGES = (
    *("ecs:updateservice", "ecs:stoptask", "lambda:updatefunctioncode", "lambda:deletefunction"),
    *("ec2:terminateinstances", "ec2:stopinstances", "ec2:startinstances", "ec2:rebootinstances"),
    *("ec2:authorizesecuritygroupingress", "rds:rebootdbinstance", "rds:deletedbinstance", "rds:stopdbinstance"),
    *("codepipeline:startpipelineexecution", "codepipeline:putapprovalresult", "codebuild:startbuild"),
    *("codedeploy:createdeployment", "cloudformation:updatestack", "cloudformation:deletestack"),
    *("ssm:sendcommand", "ssm:startautomationexecution", "autoscaling:setdesiredcapacity"),
    *("autoscaling:updateautoscalinggroup", "route53:changeresourcerecordsets", "eks:updatenodegroupconfig"),
    *("iam:createuser", "iam:attachuserpolicy", "iam:attachrolepolicy", "iam:createaccesskey"),
)
"""Actions on what runs: to start, stop, deploy, delete or open it, or to give rights in the account."""


@analysis("policy", "managed", "sam")
def changes_production(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """That a statement allows to change what runs; what no statement allows, a command may do in another way."""
    for grant in allowing(held(parts, resource, stack)):
        found = _first(grant)
        if grant.open is None and found:
            return yes(grant.place, f"its role allows {found}")
    return None


def _first(grant: Grant) -> str:
    """Return the first of the actions that a statement surely allows; '' where there is none."""
    if grant.but_actions or any(not one.key or one.open is not None for one in grant.conditions):
        return ""
    return next((one for one in _CHANGES if any(asked.fits(one) for asked in grant.actions)), "")
